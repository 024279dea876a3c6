namespace DynNet.Native.Bindings;

/// <summary>Tests that structs lie in C# as the compiler lays them out in C.</summary>
internal sealed class LayoutTestsEmitter(Source source) : CSharpEmitter(source, Place + "NativeLayoutTests.g.cs")
{
    internal const string Place = "tests/DynNet.Native.Tests/Generated/";

    protected override IEnumerable<string> Usings =>
        ["System.Runtime.CompilerServices", "System.Runtime.InteropServices", "DynNet.Native.Interop"];

    protected override string Namespace => "DynNet.Native.Tests";

    protected override void Body()
    {
        WriteLine("[TestFixture]");
        WriteLine("public sealed class NativeLayoutTests");
        WriteOpenBraceAndIndent();
        WriteSeparated(Api.Structs, Struct);
        NewLine();
        WriteLine("[Test]");
        WriteLine("public void Enums_are_four_bytes()");
        WriteOpenBraceAndIndent();
        WriteLine("using (Assert.EnterMultipleScope())");
        WriteOpenBraceAndIndent();
        foreach (NativeEnum native in Api.Enums)
            WriteLine($"Assert.That(sizeof({native.CSharp(Api)}), Is.EqualTo(4));");
        UnindentAndWriteCloseBrace();
        UnindentAndWriteCloseBrace();
        UnindentAndWriteCloseBrace();
    }

    private void Struct(NativeStruct native)
    {
        string type = Names.Type(native.Name);
        WriteLine("[Test]");
        WriteLine($"public void {type}_is_laid_out_as_{native.Name}()");
        WriteOpenBraceAndIndent();
        WriteLine("using (Assert.EnterMultipleScope())");
        WriteOpenBraceAndIndent();
        WriteLine($"Assert.That(Unsafe.SizeOf<{type}>(), Is.EqualTo({native.Size}));");
        foreach (NativeField field in native.Fields)
        {
            string name = native.GoesByValue(Api) ? Names.Pascal(field.Name) : field.Name;
            WriteLine($"Assert.That((int)Marshal.OffsetOf<{type}>(\"{name}\"), Is.EqualTo({field.Offset}));");
        }
        UnindentAndWriteCloseBrace();
        UnindentAndWriteCloseBrace();
    }
}

/// <summary>Tests that the library has what the externs name.</summary>
internal sealed class EntryPointTestsEmitter(Source source)
    : CSharpEmitter(source, LayoutTestsEmitter.Place + "EntryPointTests.g.cs")
{
    protected override IEnumerable<string> Usings =>
        ["System.Reflection", "System.Runtime.InteropServices", "DynNet.Native.Interop"];

    protected override string Namespace => "DynNet.Native.Tests";

    protected override void Body()
    {
        WriteLine("[TestFixture]");
        WriteLine("public sealed class EntryPointTests");
        WriteOpenBraceAndIndent();
        foreach (NativeFunction function in Api.Functions)
            WriteLine($"[TestCase(\"{function.Name}\")]");
        WriteLine("public void Every_entry_point_resolves(string name)");
        WriteOpenBraceAndIndent();
        WriteLine("const BindingFlags Flags = BindingFlags.Static | BindingFlags.NonPublic;");
        WriteLine("MethodInfo? method = typeof(NativeMethods).GetMethod(name, Flags);");
        WriteLine("Assert.That(method, Is.Not.Null);");
        WriteLine("Assert.That(() => Marshal.Prelink(method!), Throws.Nothing);");
        UnindentAndWriteCloseBrace();
        UnindentAndWriteCloseBrace();
    }
}
