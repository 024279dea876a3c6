namespace DynNet.Native.Tests;

/// <summary>The repository that these tests were built in.</summary>
internal static class Repository
{
    /// <summary>The full path of one of its files.</summary>
    /// <param name="file">From the root, with /.</param>
    internal static string Find(string file)
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, file)))
            folder = Path.GetDirectoryName(folder);
        return folder is null
            ? throw new FileNotFoundException($"There is no {file} in any folder above the tests.")
            : Path.Combine(folder, file);
    }
}
