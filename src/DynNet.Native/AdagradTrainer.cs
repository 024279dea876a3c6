using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>Adagrad (Duchi, Hazan and Singer 2011): h += g^2; w -= rate * g / sqrt(h + eps).</summary>
/// <remarks>One thread at a time may use a trainer, and none may use its model during an update.</remarks>
public sealed class AdagradTrainer : Trainer
{
    /// <summary>Makes a trainer.</summary>
    /// <param name="model">What it trains, sub-collections included.</param>
    /// <param name="learningRate">Finite, 0 or more.</param>
    /// <param name="epsilon">What keeps the step finite where there were no gradients, more than 0.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public AdagradTrainer(Model model, double learningRate = 0.1, double epsilon = 1e-20)
        : base(Create(model, learningRate, epsilon))
    {
    }

    private static TrainerHandle Create(Model model, double learningRate, double epsilon)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Lease lease = model.Lease();
        return TrainerCalls.CreateAdagrad(lease.Pointer, learningRate, epsilon);
    }
}
