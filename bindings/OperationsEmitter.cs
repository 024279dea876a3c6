namespace DynNet.Native.Bindings;

/// <summary>The C# methods of operations; which of them and in which class is the derived emitters' choice.</summary>
internal abstract class OperationsEmitter(Source source, string path) : CSharpEmitter(source, path)
{
    protected override IEnumerable<string> Usings => ["System.Runtime.CompilerServices", "DynNet.Native.Interop"];

    protected override string Namespace => "DynNet.Native";

    /// <summary>What stands between public and the type of the result.</summary>
    protected abstract string Modifiers { get; }

    /// <summary>How a body names the graph.</summary>
    protected abstract string Graph { get; }

    /// <summary>The statement that finds the graph, null if the method has it already.</summary>
    protected abstract string? FindGraph(Operation operation);

    /// <summary>All methods of an operation.</summary>
    protected void Methods(Operation operation)
    {
        OperationParameter[] parameters = InCSharpOrder(operation);
        if (parameters.FirstOrDefault(p => p.Role == Role.Expressions) is not { } operands)
        {
            Method(operation, parameters, [.. parameters.Select(p => Declaration(p, optional: true))]);
            return;
        }

        // A params array must be last, so attributes need an overload of their own.
        OperationParameter[] attributes = [.. parameters.Where(p => p != operands)];
        string declared = $"ReadOnlySpan<Expression> {operands.Name}";
        if (attributes.Length == 0)
            Method(operation, parameters, ["params " + declared]);
        else
        {
            Method(operation, parameters, [declared, .. attributes.Select(p => Declaration(p, optional: false))]);
            if (attributes.All(p => p.Default is not null))
            {
                NewLine();
                Forward(operation, [operands], ["params " + declared],
                    [operands.Name, .. attributes.Select(p => $"{p.Name}: {DefaultOf(p)}")]);
            }
        }
        NewLine();
        Forward(operation, parameters,
            [$"IEnumerable<Expression> {operands.Name}", .. attributes.Select(p => Declaration(p, optional: true))],
            [$"Operands.Span({operands.Name})", .. attributes.Select(p => p.Name)]);
    }

    /// <summary>Operands, attributes, and what is optional last.</summary>
    private static OperationParameter[] InCSharpOrder(Operation operation) =>
        [.. operation.Parameters.OrderBy(p => p.Default is not null)];

    private string Declaration(OperationParameter p, bool optional) =>
        $"{PublicType(p)} {p.Name}{(optional && p.Default is not null ? $" = {DefaultOf(p)}" : "")}";

    /// <summary>A default as C# writes it: that of a span must be a constant.</summary>
    private string DefaultOf(OperationParameter p) => p.Role switch
    {
        Role.Enum => Api.EnumItem(p.Enum!, p.Default!),
        Role.Indices => "default",
        Role.Flag => p.Default == "0" ? "false" : "true",
        _ => p.Default!,
    };

    private string PublicType(OperationParameter p) => p.Role switch
    {
        Role.Expression => "Expression",
        Role.Dim => "Dim",
        Role.Floats => "ReadOnlySpan<float>",
        Role.Indices => "ReadOnlySpan<int>",
        Role.Parameter => "Parameter",
        Role.LookupParameter => "LookupParameter",
        Role.Int => "int",
        Role.Flag => "bool",
        Role.Enum => Api.EnumNamed(p.Enum!).CSharp(Api),
        Role.Double => "double",
        _ => throw new InvalidOperationException($"{p.Role} has no type of its own"),
    };

    /// <summary>A method that only calls another overload.</summary>
    private void Forward(
        Operation operation, IReadOnlyList<OperationParameter> parameters, string[] declarations, string[] arguments)
    {
        WriteDocs(new XmlDocs(Api).Operation(operation, parameters, Column));
        string name = operation.CSharpName!;
        string head = $"public {Modifiers}Expression {name}({string.Join(", ", declarations)}) =>";
        string body = $"{name}({string.Join(", ", arguments)});";
        if (Column + head.Length + 1 + body.Length <= TextLines.Width)
        {
            WriteLine($"{head} {body}");
            return;
        }
        WriteLine(head);
        WriteLineIndent(body);
    }

    private void Method(Operation operation, OperationParameter[] parameters, string[] declarations)
    {
        WriteDocs(new XmlDocs(Api).Operation(operation, parameters, Column));
        // The room for operands is written before it is read.
        if (operation.Operands.Any(p => p.Role == Role.Expressions))
            WriteLine("[SkipLocalsInit]");
        WriteAll(TextLines.Hanging($"public {Modifiers}Expression {operation.CSharpName}(", declarations, ")", Column));
        WriteOpenBraceAndIndent();
        foreach (OperationParameter p in operation.Parameters)
            if (p.Role is Role.Parameter or Role.LookupParameter)
                WriteLine($"ArgumentNullException.ThrowIfNull({p.Name});");
        if (FindGraph(operation) is { } find)
            WriteLine(find);
        foreach (OperationParameter p in operation.Parameters)
            if (p.Role is Role.Parameter or Role.LookupParameter)
                WriteLine($"using Lease {p.Name}Lease = {Member($"LeaseOf({p.Name}.Root)")};");
        foreach (OperationParameter p in operation.Parameters)
            Prepare(p);
        WriteLine("NativeExpression result;");
        Call(operation);
        foreach (OperationParameter p in operation.Parameters)
            if (p.Role == Role.Expressions)
            {
                WriteLine($"if ({p.Name}Rented is not null)");
                WriteLineIndent($"Operands.Return({p.Name}Rented);");
            }
        WriteLine($"GC.KeepAlive({Graph});");
        foreach (OperationParameter p in operation.Parameters)
            if (p.Role is Role.Parameter or Role.LookupParameter)
                WriteLine($"GC.KeepAlive({p.Name});");
        WriteLine("Status.Check(status);");
        foreach (OperationParameter p in operation.Parameters)
            if (p.Role is Role.Parameter or Role.LookupParameter)
                WriteLine($"{Member($"Recorded({p.Name}.Root)")};");
        WriteLine($"return new Expression({Graph}, result);");
        UnindentAndWriteCloseBrace();
    }

    /// <summary>A member of the graph.</summary>
    private string Member(string member) => Graph == "this" ? member : $"{Graph}.{member}";

    /// <summary>The statements that an argument needs before the call.</summary>
    private void Prepare(OperationParameter p)
    {
        if (p.Role == Role.Dim)
        {
            WriteLine($"NativeDim {p.Name}Native;");
            WriteLine($"{p.Name}.CopyTo(&{p.Name}Native);");
        }
        else if (p.Role == Role.Expressions)
        {
            string rented = $"{p.Name}Rented";
            WriteLine($"NativeExpression[]? {rented} = Operands.Rent({p.Name}.Length);");
            WriteLine($"Span<NativeExpression> {p.Name}Native =");
            WriteLineIndent($"{rented} is null ? stackalloc NativeExpression[Operands.OnStack] : {rented};");
            WriteLine($"for (int i = 0; i < {p.Name}.Length; i++)");
            WriteLineIndent($"{p.Name}Native[i] = {Member($"Bind({p.Name}[i])")};");
        }
    }

    private void Call(Operation operation)
    {
        (string Type, OperationParameter Parameter)[] pinned =
        [
            .. operation.Parameters.Where(p => p.Count is not null).Select(p => (p.Role switch
            {
                Role.Expressions => "NativeExpression",
                Role.Floats => "float",
                _ => "int",
            }, p)),
        ];
        string call = $"NativeMethods.{operation.Function.Name}(";
        string[] arguments = [Member("Pointer"), .. operation.Parameters.SelectMany(Arguments), "&result"];
        if (pinned.Length == 0)
        {
            WriteAll(TextLines.Hanging($"NativeStatus status = {call}", arguments, ");", Column));
            return;
        }

        WriteLine("NativeStatus status;");
        foreach ((string type, OperationParameter p) in pinned)
            WriteLine($"fixed ({type}* {p.Name}Pointer = {p.Name}{(p.Role == Role.Expressions ? "Native" : "")})");
        Indent();
        WriteAll(TextLines.Hanging($"status = {call}", arguments, ");", Column));
        Unindent();
    }

    private IEnumerable<string> Arguments(OperationParameter p) => p.Role switch
    {
        Role.Expression => [Member($"Bind({p.Name})")],
        Role.Dim => [$"&{p.Name}Native"],
        Role.Parameter or Role.LookupParameter => [$"{p.Name}.Pointer"],
        Role.Int or Role.Double => [p.Name],
        Role.Flag => [$"{p.Name} ? 1 : 0"],
        Role.Enum => [$"(int){p.Name}"],
        _ => [$"{p.Name}Pointer", $"{p.Name}.Length"],
    };
}

/// <summary>The operations with operands: static methods that take the graph from these.</summary>
internal sealed class OpsEmitter(Source source) : OperationsEmitter(source, Interop + "Ops.g.cs")
{
    protected override string Modifiers => "static ";

    protected override string Graph => "graph";

    protected override string FindGraph(Operation operation)
    {
        OperationParameter[] operands = [.. operation.Operands];
        string names = string.Join(", ", operands.Select(p => p.Name));
        return $"ComputationGraph graph = ComputationGraph.Of({(operands.Length > 2 ? $"[{names}]" : names)});";
    }

    protected override void Body()
    {
        WriteSummary("The operations on expressions, made for `using static DynNet.Native.Ops`.");
        WriteDocs(
        [
            "<remarks>",
            "Each records a node in the graph of its operands and returns at once; shapes are checked here, values are",
            "computed when they are asked for. A <see cref=\"Parameter\"/> may stand for an expression where another",
            "operand names the graph. Calls into different graphs may run at the same time, calls into one may not.",
            "</remarks>",
        ]);
        WriteLine("public static unsafe partial class Ops");
        WriteOpenBraceAndIndent();
        WriteSeparated(Api.Operations.Where(o => o.CSharpName is not null && o.HasOperands), Methods);
        UnindentAndWriteCloseBrace();
    }
}

/// <summary>The operations without operands: methods of the graph.</summary>
internal sealed class ComputationGraphEmitter(Source source)
    : OperationsEmitter(source, Interop + "ComputationGraph.Ops.g.cs")
{
    protected override IEnumerable<string> Usings => ["DynNet.Native.Interop"];

    protected override string Modifiers => "";

    protected override string Graph => "this";

    protected override string? FindGraph(Operation operation) => null;

    protected override void Body()
    {
        WriteLine("public sealed unsafe partial class ComputationGraph");
        WriteOpenBraceAndIndent();
        WriteSeparated(Api.Operations.Where(o => o.CSharpName is not null && !o.HasOperands), Methods);
        UnindentAndWriteCloseBrace();
    }
}
