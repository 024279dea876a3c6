namespace DynNet.Native.Bindings;

/// <summary>The engine's list of operations, in the order of the header.</summary>
internal sealed class NativeOpsTableEmitter(Source source) : CppEmitter(source, "native/src/ops/ops.g.h")
{
    protected override void Body()
    {
        WriteLine("#ifndef DYNNET_OPS_OPS_G_H_");
        WriteLine("#define DYNNET_OPS_OPS_G_H_");
        NewLine();
        WriteLine("// X(name) for every dn_op_<name>, in the order of dynnet.h.");
        WriteLine("// clang-format off");
        WriteLine("#define DYNNET_OPS(X) \\");
        WriteLine(string.Join(" \\\n", Api.Operations.Select(o => $"  X({o.Name})")));
        WriteLine("// clang-format on");
        NewLine();
        WriteLine("#endif  // DYNNET_OPS_OPS_G_H_");
    }
}

/// <summary>The bodies of the operations' C functions: each hands its arguments to the engine's one record.</summary>
internal sealed class NativeOpsBodiesEmitter(Source source) : CppEmitter(source, "native/src/c_api/ops.g.cc")
{
    protected override void Body()
    {
        WriteLine("#include \"c_api/record.h\"");
        WriteLine("#include \"dynnet/dynnet.h\"");
        NewLine();
        WriteLine("using dynnet::Op;");
        WriteLine("using dynnet::span;");
        WriteLine("using dynnet::c_api::record;");
        foreach (Operation operation in Api.Operations)
        {
            NewLine();
            Definition(operation);
        }
    }

    private void Definition(Operation operation)
    {
        NativeFunction function = operation.Function;
        IReadOnlyList<string> signature = TextLines.Aligned(
            $"DN_API {function.Returns} {function.Name}(", function.Parameters.Select(p => p.ToString()), ") {");
        string[] arguments =
        [
            "graph", $"Op::{operation.Name}", "out",
            .. operation.Parameters.Select(p =>
                p.Count is { } count ? $"span({p.Native.Name}, {count.Name})" : p.Native.Name),
        ];
        string body = $"return record({string.Join(", ", arguments)});";
        string one = $"{signature[0]} {body} }}";
        if (signature.Count == 1 && one.Length <= TextLines.Width)
        {
            WriteLine(one);
            return;
        }
        WriteAll(signature);
        WriteLine("  " + body);
        WriteLine("}");
    }
}
