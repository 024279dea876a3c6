using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>Stochastic gradient descent: w -= rate * g.</summary>
/// <remarks>One thread at a time may use a trainer, and none may use its model during an update.</remarks>
public sealed class SimpleSgdTrainer : Trainer
{
    /// <summary>Makes a trainer.</summary>
    /// <param name="model">What it trains, sub-collections included.</param>
    /// <param name="learningRate">Finite, 0 or more.</param>
    /// <exception cref="ArgumentException">The rate is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public SimpleSgdTrainer(Model model, double learningRate = 0.1)
        : base(Create(model, learningRate))
    {
    }

    private static TrainerHandle Create(Model model, double learningRate)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Lease lease = model.Lease();
        return TrainerCalls.CreateSimpleSgd(lease.Pointer, learningRate);
    }
}
