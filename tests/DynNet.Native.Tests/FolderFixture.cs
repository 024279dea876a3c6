namespace DynNet.Native.Tests;

/// <summary>Tests that have a new folder each.</summary>
public abstract class FolderFixture
{
    private protected string _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("dynnet-tests-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    private protected string In(string name) => Path.Combine(_folder, name);
}
