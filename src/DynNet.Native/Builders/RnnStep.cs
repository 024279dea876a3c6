using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// One step of a builder while it is recorded: the parts of the state, old ones replaced by new ones.
/// </summary>
internal readonly ref struct RnnStep
{
    internal const int InputMask = 0;
    internal const int HiddenMask = 1;
    internal const int MemoryMask = 2;

    private readonly RnnBuilder _builder;
    private readonly Span<NativeExpression> _parts;

    internal RnnStep(
        RnnBuilder builder, ComputationGraph graph, RnnRates rates, bool isFirst, Span<NativeExpression> parts)
    {
        _builder = builder;
        _parts = parts;
        Graph = graph;
        Rates = rates;
        IsFirst = isFirst;
    }

    internal ComputationGraph Graph { get; }

    internal RnnRates Rates { get; }

    /// <summary>
    /// Whether c and h are zeros because nothing went before: what is multiplied by them is left out.
    /// </summary>
    internal bool IsFirst { get; }

    internal int Count => _parts.Length;

    internal Expression this[int index]
    {
        get => new(Graph, _parts[index]);
        set => _parts[index] = Graph.Bind(value);
    }

    internal Expression C(int layer) => this[layer];

    internal Expression H(int layer) => this[_builder.StateCount - _builder.Layers + layer];

    internal void SetC(int layer, Expression value) => this[layer] = value;

    internal void SetH(int layer, Expression value) => this[_builder.StateCount - _builder.Layers + layer] = value;

    /// <summary>Parameters as operands.</summary>
    internal LayerParameters Of(ReadOnlySpan<Parameter> parameters) => new(Graph, parameters, Rates.IsConstant);

    /// <summary>Whether the sequence drops something of a kind.</summary>
    internal bool Drops(int kind) => Rates[kind] > 0;

    /// <summary>A value with the mask that the sequence has for it; without one as it is.</summary>
    internal Expression Masked(int kind, int layer, Expression x) =>
        Drops(kind) ? Ops.CMult(x, this[_builder.StateCount + kind * _builder.Layers + layer]) : x;
}
