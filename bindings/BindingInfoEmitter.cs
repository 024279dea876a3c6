namespace DynNet.Native.Bindings;

/// <summary>Where the generated files come from, as constants, with the header's own.</summary>
internal sealed class BindingInfoEmitter(Source source) : CSharpEmitter(source, Interop + "GeneratedBindingInfo.g.cs")
{
    protected override IEnumerable<string> Usings => [];

    protected override string Namespace => "DynNet.Native.Interop";

    protected override void Body()
    {
        WriteSummary("What the binding was generated from.");
        WriteLine("internal static class BindingInfo");
        WriteOpenBraceAndIndent();
        WriteSummary("The SHA-256 of dynnet.h and of all headers beside it.");
        WriteLine($"internal const string HeaderSha256 = \"{Source.HeaderSha256}\";");
        NewLine();
        WriteSummary("The version of CppSharp that parsed it.");
        WriteLine($"internal const string CppSharpVersion = \"{Source.CppSharpVersion}\";");
        foreach (NativeConstant constant in Api.Constants)
        {
            NewLine();
            WriteSummary($"{constant.Name} of the headers.");
            WriteLine($"internal const int {Names.Pascal(constant.Name["DN_".Length..])} = {constant.Value};");
        }
        UnindentAndWriteCloseBrace();
    }
}
