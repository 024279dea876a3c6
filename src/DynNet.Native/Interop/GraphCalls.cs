namespace DynNet.Native.Interop;

/// <summary>Calls into a graph. The caller keeps the graph alive.</summary>
internal static unsafe class GraphCalls
{
    internal static GraphHandle Create(long seed)
    {
        nint graph;
        Status.Check(NativeMethods.dn_graph_create(unchecked((ulong)seed), &graph));
        return new GraphHandle(graph);
    }

    internal static NativeExpression Parameter(nint graph, nint parameter)
    {
        NativeExpression result;
        Status.Check(NativeMethods.dn_op_parameter(graph, parameter, &result));
        return result;
    }

    internal static NativeExpression Input(nint graph, ReadOnlySpan<float> values)
    {
        Native.Dim column = [values.Length];
        NativeDim dim;
        column.CopyTo(&dim);
        NativeExpression result;
        fixed (float* first = values)
            Status.Check(NativeMethods.dn_op_input(graph, &dim, first, values.Length, &result));
        return result;
    }

    internal static long NodeCount(nint graph)
    {
        long count;
        Status.Check(NativeMethods.dn_graph_nodes_count(graph, &count));
        return count;
    }

    internal static Dim Dim(nint graph, NativeExpression x)
    {
        NativeDim dim;
        Status.Check(NativeMethods.dn_graph_dim(graph, x, &dim));
        return Native.Dim.From(&dim);
    }

    internal static float ScalarValue(nint graph, NativeExpression x)
    {
        float value;
        Status.Check(NativeMethods.dn_graph_scalar_value(graph, x, &value));
        return value;
    }

    internal static ReadOnlySpan<float> Value(nint graph, NativeExpression x)
    {
        float* values;
        long count;
        Status.Check(NativeMethods.dn_graph_value(graph, x, &values, &count));
        return Spans.Of(values, count);
    }

    internal static ReadOnlySpan<float> Gradient(nint graph, NativeExpression x)
    {
        float* values;
        long count;
        Status.Check(NativeMethods.dn_graph_gradient(graph, x, &values, &count));
        return Spans.Of(values, count);
    }

    internal static void SetInput(nint graph, NativeExpression x, ReadOnlySpan<float> values)
    {
        fixed (float* first = values)
            Status.Check(NativeMethods.dn_graph_set_input(graph, x, first, values.Length));
    }

    internal static void SetIndices(nint graph, NativeExpression x, ReadOnlySpan<int> indices)
    {
        fixed (int* first = indices)
            Status.Check(NativeMethods.dn_graph_set_indices(graph, x, first, indices.Length));
    }

    internal static BatchStats BatchStats(nint graph)
    {
        NativeBatchStats stats;
        Status.Check(NativeMethods.dn_graph_batch_stats(graph, &stats));
        return new BatchStats(stats.nodes, stats.batches, stats.batched_nodes);
    }

    internal static string BatchingReport(nint graph)
    {
        byte* text;
        long length;
        Status.Check(NativeMethods.dn_graph_batching_report(graph, &text, &length));
        return Text.Decode(text, length);
    }

    internal static void TopK(nint graph, NativeExpression x, int dim, int k, Span<int> indices)
    {
        fixed (int* first = indices)
            Status.Check(NativeMethods.dn_graph_top_k(graph, x, dim, k, first, indices.Length));
    }

    internal static void Sample(nint graph, NativeExpression x, int dim, int draws, Span<int> indices)
    {
        fixed (int* first = indices)
            Status.Check(NativeMethods.dn_graph_sample(graph, x, dim, draws, first, indices.Length));
    }

    internal static GradientCheck CheckGradients(
        nint graph, NativeExpression x, nint model, double step, double tolerance, long most)
    {
        NativeGradientCheck found;
        byte* text;
        long length;
        Status.Check(
            NativeMethods.dn_graph_check_gradients(graph, x, model, step, tolerance, most, &found, &text, &length));
        return new GradientCheck(
            found.elements, found.failed, found.undecided, found.worst, Text.Decode(text, length));
    }

    internal static string Graphviz(nint graph)
    {
        byte* text;
        long length;
        Status.Check(NativeMethods.dn_graph_graphviz(graph, &text, &length));
        return Text.Decode(text, length);
    }

    internal static GraphProfile Profile(nint graph)
    {
        byte* text;
        long length;
        Status.Check(NativeMethods.dn_graph_profile(graph, &text, &length));
        string table = Text.Decode(text, length);
        Status.Check(NativeMethods.dn_graph_profile_trace(graph, &text, &length));
        return new GraphProfile(table, Text.Decode(text, length));
    }
}
