using System.Globalization;
using System.IO.Compression;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace DynNet.Native.PackageTests;

/// <summary>The package as its users meet it: from a feed, in a program that knows nothing of this repository.</summary>
public sealed partial class PackageTests
{
    private readonly Workplace _workplace = new();
    private string _version = "";

    [OneTimeSetUp]
    public void Pack()
    {
        _workplace.Dotnet(_workplace.Root, "pack", "src/DynNet.Native", "-c", "Release", "-o", _workplace.Feed);
        var package = Directory.GetFiles(_workplace.Feed, "*.nupkg").Single();
        _version = Path.GetFileNameWithoutExtension(package)["DynNet.Native.".Length..];

        var sample = File.ReadAllText(Path.Combine(_workplace.Root, "src/samples/xor.cs"));
        var program = ProjectLine().Replace(sample, $"#:package DynNet.Native@{_version}", 1);
        Assert.That(program, Is.Not.EqualTo(sample), "xor.cs has no #:project line");
        File.WriteAllText(Path.Combine(_workplace.App, "xor.cs"), program);
    }

    [OneTimeTearDown]
    public void CleanUp() => _workplace.Dispose();

    [Test]
    public void Package_has_the_library_its_documentation_and_its_native_asset()
    {
        using var package = ZipFile.OpenRead(Path.Combine(_workplace.Feed, $"DynNet.Native.{_version}.nupkg"));
        var files = package.Entries.Select(entry => entry.FullName).ToList();

        Assert.That(files, Is.SupersetOf((string[])
        [
            "README.md",
            "lib/net10.0/DynNet.Native.dll",
            "lib/net10.0/DynNet.Native.xml",
            "runtimes/linux-x64/native/libdynnet.so",
        ]));
        Assert.That(files, Has.None.StartsWith("content"), "the native library is no content file");
    }

    [Test]
    public void Package_tells_its_licence_and_version()
    {
        using var package = ZipFile.OpenRead(Path.Combine(_workplace.Feed, $"DynNet.Native.{_version}.nupkg"));
        using var stream = package.GetEntry("DynNet.Native.nuspec")!.Open();
        var metadata = XDocument.Load(stream).Root!.Elements().First();
        string? Value(string name) => metadata.Elements().FirstOrDefault(e => e.Name.LocalName == name)?.Value;

        Assert.That(Value("license"), Is.EqualTo("Apache-2.0"));
        Assert.That(Value("version"), Is.EqualTo(_version));
        Assert.That(Value("readme"), Is.EqualTo("README.md"));
    }

    [Test]
    public void Symbols_are_in_a_package_of_their_own()
    {
        using var symbols = ZipFile.OpenRead(Path.Combine(_workplace.Feed, $"DynNet.Native.{_version}.snupkg"));

        Assert.That(symbols.Entries.Select(entry => entry.FullName), Has.Member("lib/net10.0/DynNet.Native.pdb"));
    }

    [Test]
    public void Sample_runs_from_the_package() => AssertLearnedXor(_workplace.Dotnet(_workplace.App, "run", "xor.cs"));

    [Test]
    public void Sample_runs_compiled_ahead_of_time()
    {
        var output = Path.Combine(_workplace.App, "native");
        _workplace.Dotnet(_workplace.App, "publish", "xor.cs", "-o", output);

        Assert.That(Path.Combine(output, "xor.dll"), Does.Not.Exist, "the program is not native");
        AssertLearnedXor(_workplace.Run(_workplace.App, Path.Combine(output, "xor")));
    }

    /// <summary>The last line has the outputs for the four corners, of which the middle two are the true ones.</summary>
    private static void AssertLearnedXor(string output)
    {
        var line = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1];
        var values = Number().Matches(line).Select(m => double.Parse(m.Value, CultureInfo.InvariantCulture)).ToArray();
        Assert.That(values, Has.Length.EqualTo(4), output);
        Assert.That(Math.Min(values[1], values[2]) - Math.Max(values[0], values[3]), Is.GreaterThan(0.5), output);
    }

    [GeneratedRegex(@"^#:project .*$", RegexOptions.Multiline)]
    private static partial Regex ProjectLine();

    [GeneratedRegex(@"-?\d+\.\d+")]
    private static partial Regex Number();
}
