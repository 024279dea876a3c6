namespace DynNet.Native.Bindings;

/// <summary>
/// The internal enums, and the structs. A struct that goes by value is a public value; the others are internal, with
/// C's field names.
/// </summary>
internal sealed class TypesEmitter(Source source) : CSharpEmitter(source, Interop + "Types.g.cs")
{
    protected override IEnumerable<string> Usings => ["System.Runtime.InteropServices"];

    protected override string Namespace => "DynNet.Native.Interop";

    protected override void Body()
    {
        WriteLine("// Native code writes the fields.");
        WriteLine("#pragma warning disable CS0649");
        NewLine();
        WriteSeparated(Api.Enums.Where(e => !e.IsPublic(Api)), WriteEnum);
        NewLine();
        WriteSeparated(Api.Structs, Struct);
    }

    private void Struct(NativeStruct native)
    {
        bool value = native.GoesByValue(Api);
        WriteSummary(value ? native.Doc.Text : $"{native.Name}: {native.Doc.Text}");
        if (value)
            WriteDocs([$"<remarks><c>{native.Name}</c> of the C ABI: {native.Size} bytes, passed by value.</remarks>"]);
        WriteLine("[StructLayout(LayoutKind.Sequential)]");
        if (value)
            Value(native);
        else
            Record(native);
    }

    private void Value(NativeStruct native)
    {
        string type = Names.Type(native.Name);
        string[] names = [.. native.Fields.Select(f => Names.Pascal(f.Name))];
        WriteLine($"public readonly struct {type} : IEquatable<{type}>");
        WriteOpenBraceAndIndent();
        foreach ((NativeField field, string name) in native.Fields.Zip(names))
        {
            WriteSummary(field.Doc.Text);
            WriteLine($"public readonly {field.Type.CSharp(Api)} {name};");
            NewLine();
        }
        WriteSummary("Puts a value together from its fields.");
        foreach (NativeField field in native.Fields)
            WriteDocs(XmlDocs.Parameter(Names.Camel(field.Name), field.Doc.Text, Column));
        string parameters = string.Join(", ", native.Fields.Select(f => $"{f.Type.CSharp(Api)} {Names.Camel(f.Name)}"));
        WriteLine($"public {type}({parameters})");
        WriteOpenBraceAndIndent();
        foreach (NativeField field in native.Fields)
            WriteLine($"{Names.Pascal(field.Name)} = {Names.Camel(field.Name)};");
        UnindentAndWriteCloseBrace();
        NewLine();
        WriteLine("/// <inheritdoc/>");
        string equal = string.Join(" && ", names.Select(name => $"{name} == other.{name}"));
        WriteLine($"public bool Equals({type} other) => {equal};");
        NewLine();
        WriteLine("/// <inheritdoc/>");
        WriteLine($"public override bool Equals(object? obj) => obj is {type} other && Equals(other);");
        NewLine();
        WriteLine("/// <inheritdoc/>");
        WriteLine($"public override int GetHashCode() => HashCode.Combine({string.Join(", ", names)});");
        foreach ((string sign, string not, string word) in new[] { ("==", "", "equal"), ("!=", "!", "not equal") })
        {
            NewLine();
            WriteSummary($"Whether two values are {word} in all fields.");
            WriteLine("/// <param name=\"left\">One value.</param>");
            WriteLine("/// <param name=\"right\">The other value.</param>");
            WriteLine("/// <returns>The answer.</returns>");
            WriteLine($"public static bool operator {sign}({type} left, {type} right) => {not}left.Equals(right);");
        }
        UnindentAndWriteCloseBrace();
    }

    private void Record(NativeStruct native)
    {
        bool pointers = native.Fields.Any(f => f.Length > 0 || f.Type is CPointer);
        WriteLine($"internal {(pointers ? "unsafe " : "")}struct {Names.Type(native.Name)}");
        WriteOpenBraceAndIndent();
        WriteSeparated(native.Fields, field =>
        {
            WriteSummary(field.Doc.Text);
            string type = field.Type.CSharp(Api), name = Names.Identifier(field.Name);
            WriteLine(field.Length > 0 ? $"public fixed {type} {name}[{field.Length}];" : $"public {type} {name};");
        });
        UnindentAndWriteCloseBrace();
    }
}

/// <summary>The enums that operations take.</summary>
internal sealed class EnumsEmitter(Source source) : CSharpEmitter(source, Interop + "Enums.g.cs")
{
    protected override IEnumerable<string> Usings => [];

    protected override string Namespace => "DynNet.Native";

    protected override void Body() => WriteSeparated(Api.Enums.Where(e => e.IsPublic(Api)), WriteEnum);
}
