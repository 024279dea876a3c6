using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Adadelta (Zeiler 2012): h = rho h + (1 - rho) g^2; d = g sqrt(e + eps) / sqrt(h + eps); e = rho e + (1 - rho) d^2;
/// w -= rate * d.
/// </summary>
/// <remarks>
/// The rate is 1, as in DyNet, until it is set.
/// One thread at a time may use a trainer, and none may use its model during an update.
/// </remarks>
public sealed class AdadeltaTrainer : Trainer
{
    /// <summary>Makes a trainer.</summary>
    /// <param name="model">What it trains, sub-collections included.</param>
    /// <param name="epsilon">What keeps the step finite where there were no gradients, more than 0.</param>
    /// <param name="rho">The decay of the mean of squares, 0 or more and less than 1.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public AdadeltaTrainer(Model model, double epsilon = 1e-6, double rho = 0.95)
        : base(Create(model, epsilon, rho))
    {
    }

    private static TrainerHandle Create(Model model, double epsilon, double rho)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Lease lease = model.Lease();
        return TrainerCalls.CreateAdadelta(lease.Pointer, epsilon, rho);
    }
}
