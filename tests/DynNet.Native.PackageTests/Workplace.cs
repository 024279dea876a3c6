using System.Diagnostics;

namespace DynNet.Native.PackageTests;

/// <summary>Temporary folders outside the repository, whose build files thus do not count, and commands run there.</summary>
internal sealed class Workplace : IDisposable
{
    private readonly DirectoryInfo _scratch = Directory.CreateTempSubdirectory("dynnet-package-");
    private readonly string _packages;

    public Workplace()
    {
        Root = FindRoot();
        Feed = _scratch.CreateSubdirectory("feed").FullName;
        App = _scratch.CreateSubdirectory("app").FullName;

        // A package cache of our own, for the ordinary one serves an earlier package of the same version. What it holds
        // of others (a compiler of 100 MB) is kept from run to run.
        _packages = Path.Combine(Root, "artifacts/package-test/packages");
        var stale = Path.Combine(_packages, "dynnet.native");
        if (Directory.Exists(stale))
        {
            Directory.Delete(stale, recursive: true);
        }

        File.WriteAllText(Path.Combine(App, "nuget.config"), $"""
            <configuration>
              <packageSources><add key="feed" value="{Feed}" /></packageSources>
            </configuration>
            """);
    }

    public string Root { get; }

    public string Feed { get; }

    public string App { get; }

    public void Dispose() => _scratch.Delete(recursive: true);

    public string Dotnet(string folder, params ReadOnlySpan<string> arguments) => Run(folder, "dotnet", arguments);

    /// <summary>Starts a program without a terminal.</summary>
    public Process Start(string folder, string program, params ReadOnlySpan<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments.ToArray())
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // The test runner's own settings of MSBuild are not a user's.
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)))
        {
            start.Environment.Remove(name);
        }

        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        if (folder == App)
        {
            start.Environment["NUGET_PACKAGES"] = _packages;
            // Where file-based programs are built.
            start.Environment["XDG_DATA_HOME"] = _scratch.FullName;
        }

        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Runs a program to its end, which must be a good one, and returns what it wrote to stdout.</summary>
    public string Run(string folder, string program, params ReadOnlySpan<string> arguments)
    {
        var command = $"{program} {string.Join(' ', arguments)}";
        using var process = Start(folder, program, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{command} took more than 5 minutes");
        }

        Assert.That(process.ExitCode, Is.Zero,
            () => $"{command}\n{output.Result}\n{errors.Result}");
        return output.Result;
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "DynNet.Native.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("not in the repository");
        }

        return folder;
    }
}
