namespace DynNet.Native;

/// <summary>What the TreeLSTMs share that read a node and its children as a sequence.</summary>
internal static class ChainTreeLstm
{
    /// <summary>
    /// Where the sequence of each node starts: with dropout, under masks that all nodes have in common.
    /// </summary>
    internal static RnnState Start(
        LstmBuilder builder, ComputationGraph graph, RnnRates rates, ReadOnlySpan<Expression> values)
    {
        RnnState start = builder.InitialState(graph, update: !rates.IsConstant, values);
        return start.Rates.HasDropout ? builder.WithMasks(start) : start;
    }

    /// <summary>Reads a node, then its children.</summary>
    internal static RnnState Read(RnnState state, Expression x, ReadOnlySpan<TreeLstmNode> children, bool backwards)
    {
        state = state.AddInput(x);
        for (int i = 0; i < children.Length; i++)
            state = state.AddInput(children[backwards ? children.Length - 1 - i : i].Output);
        return state;
    }

    /// <summary>Throws unless what a node gives can be read as an input.</summary>
    internal static void CheckSizes(int inputDim, int hiddenDim)
    {
        if (inputDim != hiddenDim)
        {
            throw new ArgumentException(
                $"Inputs of {inputDim} and outputs of {hiddenDim}: they must be equal, since a node's children are "
                + "read as its input is.",
                nameof(hiddenDim));
        }
    }
}
