namespace DynNet.Native.Bindings;

/// <summary>What a parameter of an operation is, beyond its type.</summary>
internal enum Role
{
    Expression,
    Expressions,
    Dim,
    Floats,
    Indices,
    Parameter,
    LookupParameter,
    Int,
    /// <summary>An int32_t that is 0 or 1.</summary>
    Flag,
    /// <summary>An int32_t that is an item of an enumeration.</summary>
    Enum,
    Double,
    /// <summary>Memory of the caller's that the library keeps reading; no C# method has such a parameter.</summary>
    Bound,
}

/// <summary>A parameter of an operation: the count of an array belongs to the array.</summary>
/// <param name="Native">as the header declares it</param>
/// <param name="Count">the parameter with the number of elements, of arrays</param>
/// <param name="Default">the value of an optional attribute, else null</param>
/// <param name="Doc">the text of its @param, else null</param>
/// <param name="Enum">the name of an enumeration in C, of its items</param>
internal sealed record OperationParameter(
    Role Role, NativeParameter Native, NativeParameter? Count, string? Default, string? Doc, string? Enum)
{
    public string Name { get; } = Names.Camel(Native.Name);
}

/// <summary>
/// A function dn_op_NAME, read by the pattern at the top of dynnet.h: the graph, operands, attributes, the result.
/// </summary>
/// <param name="CSharpName">null for native callers only</param>
internal sealed record Operation(
    NativeFunction Function, string? CSharpName, IReadOnlyList<OperationParameter> Parameters)
{
    public const string Prefix = "dn_op_";

    /// <summary>Names that the bodies of the C# methods use themselves.</summary>
    private static readonly string[] Reserved = ["graph", "result", "status"];

    /// <summary>The name without its prefix.</summary>
    public string Name => Function.Name[Prefix.Length..];

    /// <summary>The operands that may name the graph.</summary>
    public IEnumerable<OperationParameter> Operands =>
        Parameters.Where(p => p.Role is Role.Expression or Role.Expressions);

    /// <summary>Whether an operand names the graph: then the method is one of Ops, else of ComputationGraph.</summary>
    public bool HasOperands => Operands.Any();

    public static Operation Read(NativeFunction function)
    {
        HeaderException Error(string message) => new(function.Place, $"{function.Name}: {message}");

        IReadOnlyList<NativeParameter> all = function.Parameters;
        if (!function.Returns.Is("dn_status") || all.Count < 2 || all[0].ToString() != "dn_graph* graph"
            || all[^1].ToString() != "dn_expr* out")
            throw Error("an operation is dn_status(dn_graph* graph, operands, attributes, dn_expr* out)");

        DocComment doc = function.Doc;
        IReadOnlyDictionary<string, string> docs = doc.Named("param"), defaults = doc.Named("default"), flags = doc.Named("flag"),
            enums = doc.Named("enum");
        List<OperationParameter> parameters = [];
        for (int i = 1; i < all.Count - 1; i++)
        {
            NativeParameter native = all[i];
            NativeParameter? count = all[i + 1].Name == native.Name + "_count" ? all[++i] : null;
            Role role = RoleOf(native, count) ?? throw Error($"'{native}' is none of the types that operations take");
            if (role == Role.Int && flags.ContainsKey(native.Name))
                role = Role.Flag;
            if (role == Role.Int && enums.ContainsKey(native.Name))
                role = Role.Enum;
            parameters.Add(new OperationParameter(
                role, native, count, defaults.GetValueOrDefault(native.Name), docs.GetValueOrDefault(native.Name),
                enums.GetValueOrDefault(native.Name)));
        }

        foreach (string name in docs.Keys.Concat(defaults.Keys).Concat(flags.Keys).Concat(enums.Keys))
            if (parameters.All(p => p.Native.Name != name && p.Count?.Name != name))
                throw Error($"a tag names {name}, which is no parameter");
        if (parameters.Any(p => p.Default is not null && p.Role is not (Role.Int or Role.Flag or Role.Enum or Role.Double)
            && (p.Role, p.Default) is not (Role.Indices, "[]")))
            throw Error("only numbers can have a default, and lists of numbers that of []");
        if (parameters.FirstOrDefault(p => Reserved.Contains(p.Name)) is { } reserved)
            throw Error($"the name {reserved.Name} is taken: the generated methods use it");

        string csharp = doc.Single("op") ?? Names.Pascal(function.Name[Prefix.Length..]);
        Operation operation = new(function, csharp == "-" ? null : csharp, parameters);
        if (operation.CSharpName is not null && doc.Text.Length == 0)
            throw Error("the comment is missing");
        if (operation.CSharpName is not null && parameters.Any(p => p.Role == Role.Bound))
            throw Error("an array without a count is for native callers only: say '@op -'");
        if (operation.Operands.Count() > 1 && operation.Operands.Any(p => p.Role == Role.Expressions))
            throw Error("an array of operands must be the only operand");
        return operation;
    }

    private static Role? RoleOf(NativeParameter native, NativeParameter? count) => (native.Type, count is not null)
        switch
    {
        (CNamed { Name: "dn_expr" }, false) => Role.Expression,
        (CNamed { Name: "int32_t" }, false) => Role.Int,
        (CNamed { Name: "double" }, false) => Role.Double,
        (CPointer { Pointee: CNamed pointee } pointer, bool counted) => (pointee.Name, pointer.IsConst, counted) switch
        {
            ("dn_expr", true, true) => Role.Expressions,
            ("float", true, true) => Role.Floats,
            ("int32_t", true, true) => Role.Indices,
            ("dn_dim", true, false) => Role.Dim,
            ("dn_parameter", false, false) => Role.Parameter,
            ("dn_lookup_parameter", false, false) => Role.LookupParameter,
            ("float" or "int32_t", true, false) => Role.Bound,
            _ => null,
        },
        _ => null,
    };
}
