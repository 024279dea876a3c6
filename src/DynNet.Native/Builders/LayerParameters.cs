namespace DynNet.Native;

/// <summary>The parameters of a layer as a graph's operands: such that are trained, or constants.</summary>
internal readonly ref struct LayerParameters
{
    private readonly ComputationGraph _graph;
    private readonly ReadOnlySpan<Parameter> _parameters;
    private readonly bool _areConstant;

    internal LayerParameters(ComputationGraph graph, ReadOnlySpan<Parameter> parameters, bool areConstant)
    {
        _graph = graph;
        _parameters = parameters;
        _areConstant = areConstant;
    }

    internal int Length => _parameters.Length;

    internal bool IsEmpty => _parameters.IsEmpty;

    internal Expression this[int index] => _areConstant ? Constant(index) : _parameters[index];

    internal Expression Constant(int index) => _graph.ConstParameter(_parameters[index]);

    internal LayerParameters Slice(int start, int length) =>
        new(_graph, _parameters.Slice(start, length), _areConstant);
}
