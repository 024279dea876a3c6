namespace DynNet.Native;

/// <summary>How a builder's steps are trained. A sequence keeps what holds at its start.</summary>
/// <param name="Input">The dropout rate for the inputs of each layer.</param>
/// <param name="Hidden">That for the h that each layer gets from the step before.</param>
/// <param name="Memory">That for the c that gates look at.</param>
/// <param name="WeightNoise">The standard deviation of what is added to weights.</param>
/// <param name="IsConstant">Whether no gradient flows into the parameters.</param>
internal sealed record RnnRates(
    double Input = 0, double Hidden = 0, double Memory = 0, double WeightNoise = 0, bool IsConstant = false)
{
    internal static readonly RnnRates None = new();

    internal bool HasDropout => Input > 0 || Hidden > 0 || Memory > 0;

    internal double this[int kind] => kind switch
    {
        RnnStep.InputMask => Input,
        RnnStep.HiddenMask => Hidden,
        _ => Memory,
    };

    /// <summary>Throws unless a dropout rate is 0 or more and less than 1.</summary>
    internal static void Check(double rate, string name)
    {
        if (!(rate >= 0 && rate < 1))
        {
            throw new ArgumentOutOfRangeException(
                name, rate, $"A dropout rate of {rate}: it must be 0 or more, less than 1.");
        }
    }
}
