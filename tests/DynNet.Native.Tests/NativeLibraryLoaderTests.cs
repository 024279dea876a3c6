using System.Runtime.InteropServices;
using DynNet.Native.Interop;

namespace DynNet.Native.Tests;

/// <summary>Loading the native library, and explaining why it could not be loaded.</summary>
[TestFixture]
public sealed class NativeLibraryLoaderTests
{
    [Test]
    public void A_missing_library_is_explained()
    {
        DllNotFoundException? exception = Assert.Throws<DllNotFoundException>(
            () => NativeLibraryLoader.Load("dynnet-that-is-not-there", typeof(Model).Assembly, null));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(exception!.Message, Does.Contain("dynnet-that-is-not-there"));
            Assert.That(exception.Message, Does.Contain(RuntimeInformation.RuntimeIdentifier));
            Assert.That(exception.Message, Does.Contain("Tried:"));
            Assert.That(exception.Message, Does.Contain(Path.Combine(AppContext.BaseDirectory, "runtimes")));
            Assert.That(exception.Message, Does.Contain("Likely causes:"));
        }
    }

    [Test]
    [Platform("Linux")]
    public void It_is_looked_for_where_a_package_has_it_whoever_built_the_runtime()
    {
        string portable = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? "linux-x64" : "linux-arm64";
        string folder = AppContext.BaseDirectory;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                NativeLibraryLoader.Folders("ubuntu.24.04-x64"),
                Is.EqualTo([Native("ubuntu.24.04-x64"), Native(portable), folder]));
            Assert.That(NativeLibraryLoader.Folders(portable), Is.EqualTo([Native(portable), folder]));
        }

        string Native(string runtime) => Path.Combine(folder, "runtimes", runtime, "native");
    }

    [Test]
    public void The_library_in_use_has_the_version_that_is_needed()
    {
        nint library = NativeLibraryLoader.Load(NativeMethods.Library, typeof(Model).Assembly, null);
        try
        {
            Assert.That(() => NativeLibraryLoader.CheckVersion(library), Throws.Nothing);
        }
        finally
        {
            NativeLibrary.Free(library);
        }
    }

    [Test]
    [Platform("Linux")]
    public void Another_library_under_the_same_name_is_refused()
    {
        nint library = NativeLibrary.Load("libc.so.6");
        Assert.That(
            () => NativeLibraryLoader.CheckVersion(library),
            Throws.TypeOf<DllNotFoundException>().With.Message.Contains("dn_abi_version"));
    }
}
