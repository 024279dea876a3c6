namespace DynNet.Native.Bindings;

/// <summary>A SafeHandle for every noun that has a create and a free.</summary>
internal sealed class HandlesEmitter(Source source) : CSharpEmitter(source, Interop + "Handles.g.cs")
{
    protected override IEnumerable<string> Usings => [];

    protected override string Namespace => "DynNet.Native.Interop";

    protected override void Body() => WriteSeparated(Api.Opaques.Where(IsOwned), Handle);

    private static string Free(NativeOpaque opaque) => $"{opaque.Name}_free";

    private bool IsOwned(NativeOpaque opaque)
    {
        if (Api.Functions.FirstOrDefault(f => f.Name == Free(opaque)) is not { } free)
            return false;
        if (free is not { Parameters: [var only] } || !only.Type.IsPointerTo(opaque.Name))
            throw new HeaderException(free.Place, $"{free.Name}: a free takes the {opaque.Name}* and nothing else");
        if (Creates(opaque).Length == 0)
            throw new HeaderException(free.Place, $"{free.Name}: nothing creates what it frees");
        return true;
    }

    private string[] Creates(NativeOpaque opaque)
    {
        string prefix = $"{opaque.Name}_create";
        return [.. Api.Functions.Select(f => f.Name).Where(name => name.StartsWith(prefix, StringComparison.Ordinal))];
    }

    private void Handle(NativeOpaque opaque)
    {
        string type = Names.Handle(opaque.Name);
        WriteSummary($"Owns a reference to a {opaque.Name}. {opaque.Doc.Text}");
        WriteLine($"internal sealed class {type} : NativeHandle");
        WriteOpenBraceAndIndent();
        WriteSummary($"Takes over a reference that the caller got from a call such as {Creates(opaque)[0]}.");
        WriteLine($"internal {type}(nint reference) : base(reference)");
        WriteOpenBraceAndIndent();
        UnindentAndWriteCloseBrace();
        NewLine();
        WriteLine("/// <inheritdoc/>");
        WriteLine("protected override bool ReleaseHandle()");
        WriteOpenBraceAndIndent();
        WriteLine($"NativeMethods.{Free(opaque)}(handle);");
        WriteLine("return true;");
        UnindentAndWriteCloseBrace();
        UnindentAndWriteCloseBrace();
    }
}
