namespace DynNet.Native;

/// <summary>Which LSTM with a forget gate of its own, or one coupled to the input gate, a layer is.</summary>
/// <param name="ForgetBias">What is added in the forget gate, beside the trained bias.</param>
/// <param name="HasCoupledGates">Whether the input gate is 1 - f, and has no weights of its own.</param>
internal sealed record VanillaLstmForm(double ForgetBias = 1, bool HasCoupledGates = false)
{
    /// <summary>The form that operations for a whole cell compute, and the native builder.</summary>
    internal static readonly VanillaLstmForm Usual = new();

    /// <summary>How many gates have weights, the candidate g among them.</summary>
    internal int Gates => HasCoupledGates ? 3 : 4;

    /// <summary>Throws unless a form can be.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// Layer normalization would have nothing to normalize, or the bias is not finite.
    /// </exception>
    internal static void Check(bool layerNorm, int hiddenDim, double forgetBias)
    {
        if (layerNorm && hiddenDim < 2)
        {
            throw new ArgumentOutOfRangeException(
                nameof(hiddenDim),
                hiddenDim,
                "Layer normalization of one element is always its bias: there must be at least 2.");
        }
        if (!double.IsFinite(forgetBias))
        {
            throw new ArgumentOutOfRangeException(
                nameof(forgetBias), forgetBias, $"A forget bias of {forgetBias}: it must be finite.");
        }
    }
}
