namespace DynNet.Native.Bindings;

/// <summary>
/// What dynnet.h and the headers that it includes declare, in their order and free of CppSharp's types: all that the
/// emitters know.
/// </summary>
internal sealed record NativeApi(
    IReadOnlyList<NativeConstant> Constants,
    IReadOnlyList<NativeEnum> Enums,
    IReadOnlyList<NativeStruct> Structs,
    IReadOnlyList<NativeOpaque> Opaques,
    IReadOnlyList<NativeCallback> Callbacks,
    IReadOnlyList<NativeFunction> Functions)
{
    /// <summary>The operations: every function dn_op_NAME.</summary>
    public IReadOnlyList<Operation> Operations { get; } =
        [.. Functions.Where(f => f.Name.StartsWith(Operation.Prefix, StringComparison.Ordinal)).Select(Operation.Read)];

    /// <summary>The enumeration of a name in C.</summary>
    public NativeEnum EnumNamed(string name) => Enums.FirstOrDefault(e => e.Name == name)
        ?? throw new HeaderException("dynnet.h", $"an attribute is said to be a {name}, which is no enumeration");

    /// <summary>An item of an enumeration as C# writes it: DN_GRADIENT_ZERO to GradientMode.Zero.</summary>
    public string EnumItem(string type, string item)
    {
        NativeEnum native = EnumNamed(type);
        int place = native.Items.TakeWhile(i => i.Name != item).Count();
        return place < native.Items.Count
            ? $"{native.CSharp(this)}.{Names.Items(native)[place]}"
            : throw new HeaderException("dynnet.h", $"{item} is no item of {type}");
    }
}

/// <summary>A macro that stands for a whole number.</summary>
internal sealed record NativeConstant(string Name, int Value);

internal sealed record NativeEnum(string Name, DocComment Doc, IReadOnlyList<NativeEnumItem> Items)
{
    /// <summary>Whether an operation takes one: then it is public in C#.</summary>
    public bool IsPublic(NativeApi api) => api.Operations.Any(o => o.Parameters.Any(p => p.Enum == Name));

    /// <summary>The type in C#.</summary>
    public string CSharp(NativeApi api) => IsPublic(api) ? Names.Class(Names.Noun(Name)) : Names.Type(Name);
}

internal sealed record NativeEnumItem(string Name, int Value, DocComment Doc);

/// <summary>A struct with its layout as the compiler sees it.</summary>
internal sealed record NativeStruct(string Name, int Size, DocComment Doc, IReadOnlyList<NativeField> Fields)
{
    /// <summary>Whether a function takes or returns it by value: then it is a public value in C#.</summary>
    public bool GoesByValue(NativeApi api) =>
        api.Functions.Any(f => f.Returns.Is(Name) || f.Parameters.Any(p => p.Type.Is(Name)));
}

/// <summary>A field; <c>Length</c> is 0 if it is no array.</summary>
internal sealed record NativeField(string Name, CType Type, int Length, int Offset, DocComment Doc);

/// <summary>A struct that only the library sees into; callers hold pointers to it.</summary>
internal sealed record NativeOpaque(string Name, DocComment Doc);

/// <summary>A typedef of a pointer to a function.</summary>
internal sealed record NativeCallback(
    string Name, CType Returns, IReadOnlyList<NativeParameter> Parameters, DocComment Doc);

internal sealed record NativeFunction(
    string Name, CType Returns, IReadOnlyList<NativeParameter> Parameters, DocComment Doc, string Place)
{
    /// <summary>The declaration as C, on one line.</summary>
    public string Signature => $"{Returns} {Name}({(Parameters.Count == 0 ? "void" : string.Join(", ", Parameters))})";
}

internal sealed record NativeParameter(string Name, CType Type)
{
    public override string ToString() => $"{Type} {Name}";
}

/// <summary>A declaration that breaks the conventions at the top of dynnet.h.</summary>
/// <param name="place">the header, and the line where there is one</param>
internal sealed class HeaderException(string place, string message) : Exception(message)
{
    public string Place => place;
}
