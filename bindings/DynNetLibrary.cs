using System.Reflection;
using System.Security.Cryptography;
using CppSharp;
using CppSharp.AST;
using CppSharp.Generators;
using CppSharp.Generators.C;
using CppSharp.Parser;

namespace DynNet.Native.Bindings;

/// <summary>What CppSharp's driver asks for: which headers to parse, and what to write.</summary>
/// <param name="root">the root of the repository</param>
internal sealed class DynNetLibrary(string root) : ILibrary
{
    public const string Header = "native/include/dynnet/dynnet.h";

    private readonly string _headers = Path.Combine(root, Path.GetDirectoryName(Header)!);

    private NativeApi? _api;

    /// <summary>The files whose content the driver changes, from the root.</summary>
    public List<string> Changed { get; } = [];

    /// <summary>The number of files written or found unchanged.</summary>
    public int Files { get; private set; }

    public void Setup(Driver driver)
    {
        DriverOptions options = driver.Options;
        options.GeneratorKind = EmptyGenerator.Kind;
        options.OutputDir = root;
        options.OutputNewLineType = NewLineType.LF;
        options.Quiet = true;
        // An output's path without its extension, which the driver adds.
        options.GenerateName = unit => Path.ChangeExtension(unit.FilePath, null);
        driver.ParserOptions.LanguageVersion = LanguageVersion.C99_GNU;

        CppSharp.AST.Module module = options.AddModule("dynnet");
        module.IncludeDirs.Add(Path.Combine(root, "native/include"));
        module.Headers.Add("dynnet/dynnet.h");
    }

    /// <summary>Nothing: our own C# needs none of the transformations.</summary>
    public void SetupPasses(Driver driver)
    {
    }

    /// <summary>Reads the tree before CppSharp's passes, which rename fields and parameters.</summary>
    public void Preprocess(Driver driver, ASTContext ctx) =>
        _api = HeaderReader.Read(
        [
            .. ctx.TranslationUnits
                .Where(u => u.IsValid && Path.GetFullPath(u.FilePath).StartsWith(_headers, StringComparison.Ordinal))
                .OrderBy(u => PlaceOfInclusion(u.FilePath)),
        ]);

    public void Postprocess(Driver driver, ASTContext ctx)
    {
    }

    /// <summary>Makes all files before the driver writes the first: an error leaves everything as it was.</summary>
    public void GenerateCode(Driver driver, List<GeneratorOutput> outputs)
    {
        Source source = new(driver.Context, _api!, CppSharpVersion(), HeadersSha256());
        Emitter[] emitters =
        [
            new NativeMethodsEmitter(source),
            new TypesEmitter(source),
            new EnumsEmitter(source),
            new HandlesEmitter(source),
            new OpsEmitter(source),
            new ComputationGraphEmitter(source),
            new BindingInfoEmitter(source),
            new LayoutTestsEmitter(source),
            new EntryPointTestsEmitter(source),
            new NativeOpsTableEmitter(source),
            new NativeOpsBodiesEmitter(source),
        ];

        outputs.Clear();
        foreach (Emitter emitter in emitters)
        {
            emitter.Process();
            // The driver saves an output where its unit says.
            outputs.Add(new() { TranslationUnit = new TranslationUnit(emitter.Path), Outputs = [emitter] });
            string path = Path.Combine(root, emitter.Path);
            if (!File.Exists(path) || File.ReadAllText(path) != emitter.Generate())
                Changed.Add(emitter.Path);
        }
        Files = emitters.Length;
    }

    /// <summary>Where dynnet.h includes a header; of dynnet.h itself, before all.</summary>
    private int PlaceOfInclusion(string path) => File.ReadAllText(Path.Combine(root, Header))
        .IndexOf($"\"dynnet/{Path.GetRelativePath(_headers, path)}\"", StringComparison.Ordinal);

    /// <summary>The hash of all headers, one after the other in the order of their paths.</summary>
    private string HeadersSha256() => Convert.ToHexStringLower(SHA256.HashData(
    [
        .. Directory.GetFiles(_headers, "*.h", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).SelectMany(File.ReadAllBytes),
    ]));

    /// <summary>The version of the assembly that runs, with its commit where the build recorded it.</summary>
    private static string CppSharpVersion() =>
        typeof(ILibrary).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? typeof(ILibrary).Assembly.GetName().Version?.ToString() ?? "unknown";
}

/// <summary>A generator that generates nothing: it keeps CppSharp's own C#, and its passes, out of the way.</summary>
internal sealed class EmptyGenerator(BindingContext context) : Generator(context)
{
    public static GeneratorKind Kind { get; } =
        new("DynNet", "DynNet.Native", typeof(EmptyGenerator), typeof(CppTypePrinter));

    public override bool SetupPasses() => true;

    public override List<CodeGenerator> Generate(IEnumerable<TranslationUnit> units) => [];
}
