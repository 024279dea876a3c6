namespace DynNet.Native.Bindings;

/// <summary>The externs, with C's own names.</summary>
internal sealed class NativeMethodsEmitter(Source source) : CSharpEmitter(source, Interop + "NativeMethods.g.cs")
{
    /// <summary>
    /// Calls that may run without telling the garbage collector: each reads one word that is already there, and none
    /// locks, computes or fails. On any other call the attribute would stop every thread's collection for its length.
    /// </summary>
    private static readonly string[] Immediate = ["dn_abi_version", "dn_version", "dn_last_error", "dn_memory_used"];

    protected override IEnumerable<string> Usings => ["System.Runtime.InteropServices"];

    protected override string Namespace => "DynNet.Native.Interop";

    protected override void Body()
    {
        if (Immediate.FirstOrDefault(name => Api.Functions.All(f => f.Name != name)) is { } missing)
            throw new HeaderException(DynNetLibrary.Header, $"{missing} is to be called at once, but there is no such function");

        WriteLine("// Only parameters that need words have them.");
        WriteLine("#pragma warning disable CS1573");
        NewLine();
        WriteSummary("The engine's C ABI: every function of dynnet.h under its own name, all arguments blittable.");
        WriteLine("internal static unsafe partial class NativeMethods");
        WriteOpenBraceAndIndent();
        WriteSummary("The library's name, which the loader turns into a file's.");
        WriteLine("internal const string Library = \"dynnet\";");
        NewLine();
        WriteSeparated(Api.Functions, Extern);
        UnindentAndWriteCloseBrace();
    }

    private void Extern(NativeFunction function)
    {
        WriteDocs(XmlDocs.Native(function.Doc, Column));
        // Broken by words: the declaration is for reading.
        WriteAll(TextLines.Fill(function.Signature + ";", TextLines.Width - Column - 3).Select(line => "// " + line));
        if (Immediate.Contains(function.Name))
            WriteLine("[SuppressGCTransition]");
        WriteLine("[DllImport(Library, ExactSpelling = true)]");
        WriteAll(TextLines.Hanging(
            $"internal static extern {function.Returns.CSharp(Api)} {function.Name}(",
            function.Parameters.Select(p => $"{p.Type.CSharp(Api)} {Names.Identifier(p.Name)}"), ");", Column));
    }
}
