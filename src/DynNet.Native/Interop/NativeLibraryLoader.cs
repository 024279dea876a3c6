using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace DynNet.Native.Interop;

/// <summary>Finds the native library, checks its version, and says what was tried when there is none.</summary>
internal static class NativeLibraryLoader
{
    // Externs that suppress the GC transition are bound when their caller is compiled, which may be before any static
    // constructor of ours has run: only a module initializer is early enough.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Register() =>
        NativeLibrary.SetDllImportResolver(typeof(NativeLibraryLoader).Assembly, Resolve);

    /// <summary>
    /// Loads a library by name: as .NET searches, then in the folders of a package beside the program.
    /// </summary>
    /// <exception cref="DllNotFoundException">None was found, or none that can be loaded.</exception>
    internal static nint Load(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        var attempts = new StringBuilder();
        try
        {
            return NativeLibrary.Load(name, assembly, searchPath);
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            attempts.Append("- where .NET searches: ").AppendLine(exception.Message.Trim());
        }

        string file = FileName(name);
        foreach (string folder in Folders(RuntimeInformation.RuntimeIdentifier))
        {
            string path = Path.Combine(folder, file);
            if (!File.Exists(path))
            {
                attempts.Append("- ").Append(path).AppendLine(": there is no such file");
                continue;
            }
            try
            {
                return NativeLibrary.Load(path);
            }
            catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
            {
                attempts.Append("- ").Append(path).Append(": ").AppendLine(exception.Message.Trim());
            }
        }

        throw new DllNotFoundException(
            $"""
            The native library of DynNet.Native, {file}, could not be loaded on {RuntimeInformation.RuntimeIdentifier}.
            Tried:
            {attempts.ToString().TrimEnd()}
            Likely causes: the package has no native library for this platform (it has linux-x64, for glibc 2.34 or
            later); the C++ runtime libstdc++.so.6 is not installed; or the file was not copied beside the program.
            """);
    }

    /// <summary>
    /// Refuses a library of another version, whose functions would be called with the wrong arguments.
    /// </summary>
    /// <exception cref="DllNotFoundException">The version differs, or the library is another one.</exception>
    internal static unsafe void CheckVersion(nint library)
    {
        if (!NativeLibrary.TryGetExport(library, "dn_abi_version", out nint function))
        {
            throw new DllNotFoundException(
                $"The library found as '{FileName(NativeMethods.Library)}' is another one: it has no dn_abi_version.");
        }
        int version = ((delegate* unmanaged[Cdecl]<int>)function)();
        if (version != BindingInfo.AbiVersion)
        {
            throw new DllNotFoundException(
                $"The native library '{FileName(NativeMethods.Library)}' has ABI version {version}, but this "
                + $"DynNet.Native.dll needs version {BindingInfo.AbiVersion}: the two are not from one package.");
        }
    }

    /// <summary>
    /// Where a library may lie beside the program: in the folders of a package, for the runtime as it is named and for
    /// the system as packages name it, and in the program's own.
    /// </summary>
    /// <param name="runtime">
    /// The runtime's identifier. One that a distribution has built is named after that, such as ubuntu.24.04-x64, where
    /// packages have linux-x64.
    /// </param>
    internal static IEnumerable<string> Folders(string runtime)
    {
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        string portable = $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        string folder = AppContext.BaseDirectory;
        return
        [
            .. new[] { runtime, portable }.Distinct().Select(name => Path.Combine(folder, "runtimes", name, "native")),
            folder,
        ];
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != NativeMethods.Library)
            return 0;
        nint library = Load(name, assembly, searchPath);
        CheckVersion(library);
        return library;
    }

    private static string FileName(string name) =>
        OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";
}
