using CppSharp;
using DynNet.Native.Bindings;

// Usage: DynNet.Native.Bindings [ROOT]. Writes the generated files of the repository at ROOT, by default the one that
// the working directory lies in. Ends with 0 if all is written, 1 if the header has an error, 2 if there is no header.
string? root = Path.GetFullPath(args.FirstOrDefault() ?? ".");
while (root is not null && !File.Exists(Path.Combine(root, DynNetLibrary.Header)))
    root = Path.GetDirectoryName(root);
if (root is null)
{
    Console.Error.WriteLine($"bindings: no {DynNetLibrary.Header} here or above; name the root of the repository");
    return 2;
}

try
{
    DynNetLibrary library = new(root);
    if (!ConsoleDriver.Run(library))
        return 1;
    foreach (string path in library.Changed)
        Console.WriteLine($"bindings: wrote {path}");
    Console.WriteLine($"bindings: {library.Files} files, {library.Changed.Count} changed");
    return 0;
}
catch (HeaderException error)
{
    Console.Error.WriteLine($"{error.Place}: error: {error.Message}");
    return 1;
}
