using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using DynNet.Native.Interop;

namespace DynNet.Native.Tests;

/// <summary>
/// The headers, the library and the externs must say the same: a call with too few arguments does not fail, it reads
/// whatever lies there. Needs no CppSharp, so a forgotten run of the generator shows on every machine.
/// </summary>
[TestFixture]
public sealed partial class BindingDriftTests
{
    private const string Header = "native/include/dynnet/dynnet.h";
    private const string Advice = "Run ./build.sh bindings.";

    /// <summary>The bytes of an argument by its C type; pointers are apart.</summary>
    private static readonly Dictionary<string, int> Sizes = new()
    {
        ["void"] = 0,
        ["uint8_t"] = 1,
        ["int32_t"] = 4,
        ["uint32_t"] = 4,
        ["float"] = 4,
        ["dn_status"] = 4,
        ["int64_t"] = 8,
        ["uint64_t"] = 8,
        ["double"] = 8,
        ["dn_expr"] = 8,
        ["dn_write_callback"] = IntPtr.Size,
    };

    private static readonly string Root = Repository.Find(Header)[..^Header.Length];

    private static readonly Dictionary<string, Declaration> Declared = ReadHeader();

    private static readonly Dictionary<string, MethodInfo> Externs = typeof(NativeMethods)
        .GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        .ToDictionary(method => method.Name);

    private static IEnumerable<string> Functions => Declared.Keys;

    [Test]
    public void Header_has_functions() => Assert.That(Declared, Has.Count.GreaterThan(100), "the scan must find them");

    [Test]
    public void Externs_are_the_functions_of_the_header() =>
        Assert.That(Externs.Keys, Is.EquivalentTo(Declared.Keys), Advice);

    [Test]
    [Platform("Linux")]
    public void Library_exports_the_functions_of_the_header_and_nothing_else() =>
        Assert.That(
            ElfSymbols.Exported(Path.Combine(AppContext.BaseDirectory, "libdynnet.so")),
            Is.EquivalentTo(Declared.Keys));

    [TestCaseSource(nameof(Functions))]
    public void Extern_has_the_parameters_of_the_header(string name)
    {
        MethodInfo method = Externs[name];
        Declaration declaration = Declared[name];
        ParameterInfo[] parameters = method.GetParameters();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                parameters.Select(p => p.Name).ToArray(),
                Is.EqualTo(declaration.Parameters.Select(p => p.Name).ToArray()),
                Advice);
            Assert.That(
                parameters.Select(p => SizeOf(p.ParameterType)).ToArray(),
                Is.EqualTo(declaration.Parameters.Select(p => p.Size).ToArray()),
                Advice);
            Assert.That(SizeOf(method.ReturnType), Is.EqualTo(declaration.ReturnSize), Advice);
        }
    }

    [Test]
    public void Binding_was_generated_from_this_header() =>
        Assert.That(HeaderSha256(), Is.EqualTo(BindingInfo.HeaderSha256), Advice);

    [Test]
    public void Every_generated_file_was_generated_from_this_header()
    {
        string[] folders = ["native/src", "src/DynNet.Native", "tests/DynNet.Native.Tests"];
        string[] files =
        [
            .. folders.Select(folder => Path.Combine(Root, folder))
                .SelectMany(folder => Directory.EnumerateFiles(folder, "*.g.*", SearchOption.AllDirectories)),
        ];
        string sha = HeaderSha256();
        bool IsOld(string file) => !File.ReadAllText(file).Contains(sha, StringComparison.Ordinal);
        Assert.That(files, Has.Length.GreaterThan(5));
        Assert.That(files.Where(IsOld), Is.Empty, Advice);
    }

    private static int SizeOf(Type type) =>
        type == typeof(void) ? 0
        : type.IsPointer || type.IsFunctionPointer ? IntPtr.Size
        : Marshal.SizeOf(type.IsEnum ? type.GetEnumUnderlyingType() : type);

    private static string HeaderSha256() =>
        Convert.ToHexStringLower(SHA256.HashData([.. Headers().SelectMany(File.ReadAllBytes)]));

    /// <summary>dynnet.h and all that it includes, which are the headers beside and below it.</summary>
    private static IEnumerable<string> Headers() =>
        Directory.GetFiles(Path.GetDirectoryName(Path.Combine(Root, Header))!, "*.h", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal);

    /// <summary>A plain reading of the headers, apart from the generator's: both would have to be wrong alike.</summary>
    private static Dictionary<string, Declaration> ReadHeader()
    {
        string header = Comment().Replace(string.Concat(Headers().Select(File.ReadAllText)), "");
        return Function().Matches(header).ToDictionary(
            match => match.Groups["name"].Value,
            match => new Declaration(
                SizeOfC(match.Groups["returns"].Value),
                [
                    .. match.Groups["parameters"].Value.Split(',')
                        .Select(text => text.Trim())
                        .Where(text => text != "void")
                        .Select(text => LastWord().Match(text))
                        .Select(split => new Argument(split.Groups["name"].Value, SizeOfC(split.Groups["type"].Value))),
                ]));
    }

    private static int SizeOfC(string type) =>
        type.Contains('*', StringComparison.Ordinal) ? IntPtr.Size : Sizes[type.Trim()];

    [GeneratedRegex("//.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"DN_API\s+(?<returns>[\w\s*]+?)(?<name>dn_\w+)\((?<parameters>[^;]*)\);")]
    private static partial Regex Function();

    [GeneratedRegex(@"^(?<type>.*?)(?<name>\w+)$", RegexOptions.Singleline)]
    private static partial Regex LastWord();

    private sealed record Declaration(int ReturnSize, Argument[] Parameters);

    private sealed record Argument(string Name, int Size);
}
