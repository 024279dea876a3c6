using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>RMSProp (Tieleman and Hinton 2012): h = rho h + (1 - rho) g^2; w -= rate * g / sqrt(h + eps).</summary>
/// <remarks>One thread at a time may use a trainer, and none may use its model during an update.</remarks>
public sealed class RmsPropTrainer : Trainer
{
    /// <summary>Makes a trainer.</summary>
    /// <param name="model">What it trains, sub-collections included.</param>
    /// <param name="learningRate">Finite, 0 or more.</param>
    /// <param name="epsilon">What keeps the step finite where there were no gradients, more than 0.</param>
    /// <param name="rho">The decay of the mean of squares, 0 or more and less than 1.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public RmsPropTrainer(Model model, double learningRate = 0.1, double epsilon = 1e-20, double rho = 0.95)
        : base(Create(model, learningRate, epsilon, rho))
    {
    }

    private static TrainerHandle Create(Model model, double learningRate, double epsilon, double rho)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Lease lease = model.Lease();
        return TrainerCalls.CreateRmsProp(lease.Pointer, learningRate, epsilon, rho);
    }
}
