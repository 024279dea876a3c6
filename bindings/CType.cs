namespace DynNet.Native.Bindings;

internal enum CTypeKind
{
    /// <summary>A number, a character or void.</summary>
    Scalar,
    Enum,
    Struct,
    /// <summary>A struct that is declared only.</summary>
    Opaque,
    /// <summary>A pointer to a function, by the name of its typedef.</summary>
    Callback,
}

/// <summary>A type of the C ABI. Its text is the type in C; <see cref="CSharp"/> is the blittable type in C#.</summary>
internal abstract record CType
{
    /// <summary>How C# spells the type in an extern.</summary>
    public abstract string CSharp(NativeApi api);

    /// <summary>Whether this is a pointer to something of a name.</summary>
    public bool IsPointerTo(string name) => this is CPointer { Pointee: CNamed named } && named.Name == name;

    /// <summary>Whether this is a type of a name.</summary>
    public bool Is(string name) => this is CNamed named && named.Name == name;
}

internal sealed record CNamed(string Name, CTypeKind Kind) : CType
{
    /// <summary>The scalars that the header may use, with their C# names.</summary>
    public static IReadOnlyDictionary<string, string> Scalars { get; } = new Dictionary<string, string>
    {
        ["void"] = "void",
        ["char"] = "byte",
        ["uint8_t"] = "byte",
        ["int32_t"] = "int",
        ["uint32_t"] = "uint",
        ["int64_t"] = "long",
        ["uint64_t"] = "ulong",
        ["float"] = "float",
        ["double"] = "double",
    };

    public override string CSharp(NativeApi api) => Kind switch
    {
        CTypeKind.Scalar => Scalars[Name],
        CTypeKind.Callback => FunctionPointer(api),
        // Only pointers to these occur, and CPointer makes them nint.
        CTypeKind.Opaque => throw new InvalidOperationException($"{Name} has no values"),
        _ => Names.Type(Name),
    };

    public override string ToString() => Name;

    private string FunctionPointer(NativeApi api)
    {
        NativeCallback callback = api.Callbacks.Single(c => c.Name == Name);
        IEnumerable<CType> types = callback.Parameters.Select(p => p.Type).Append(callback.Returns);
        return $"delegate* unmanaged[Cdecl]<{string.Join(", ", types.Select(t => t.CSharp(api)))}>";
    }
}

/// <summary>A pointer; const says whether what it points to may be written through it.</summary>
internal sealed record CPointer(CType Pointee, bool IsConst) : CType
{
    public override string CSharp(NativeApi api) =>
        Pointee is CNamed { Kind: CTypeKind.Opaque } ? "nint" : Pointee.CSharp(api) + "*";

    public override string ToString() => (Pointee, IsConst) switch
    {
        (CPointer, true) => $"{Pointee} const*",
        (_, true) => $"const {Pointee}*",
        _ => $"{Pointee}*",
    };
}
