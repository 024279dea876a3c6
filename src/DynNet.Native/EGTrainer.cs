using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Exponentiated gradient (Kivinen and Warmuth 1997) with momentum: v = momentum * v - rate * g;
/// w = w exp(v) / sum(w exp(v)).
/// </summary>
/// <remarks>
/// Each parameter, and each row of a lookup parameter, is one distribution, which sums to 1 after its first update; so
/// start them with values that are not negative. If one is, or all of a distribution are 0, an update throws <see
/// cref="InvalidOperationException"/>, and nothing is updated. A value of 0 stays 0, and weight decay has no effect.
/// One thread at a time may use a trainer, and none may use its model during an update.
/// </remarks>
public sealed class EGTrainer : Trainer
{
    /// <summary>Makes a trainer.</summary>
    /// <param name="model">What it trains, sub-collections included.</param>
    /// <param name="learningRate">Finite, 0 or more.</param>
    /// <param name="momentum">How much of the last step goes into the next, 0 or more and less than 1.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public EGTrainer(Model model, double learningRate = 0.1, double momentum = 0.9)
        : base(Create(model, learningRate, momentum))
    {
    }

    private static TrainerHandle Create(Model model, double learningRate, double momentum)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Lease lease = model.Lease();
        return TrainerCalls.CreateEG(lease.Pointer, learningRate, momentum);
    }
}
