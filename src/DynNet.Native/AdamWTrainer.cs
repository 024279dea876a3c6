using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
/// w -= rate * (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps) + decay * w).
/// </summary>
/// <remarks>
/// The decay is of every value that the trainer may change, whether it has a gradient or not, sparse updates included.
/// It is apart from <see cref="Model.WeightDecay"/>, which comes after it. An update in which rate * decay is more than
/// 1, which would take more than all of each value, throws <see cref="ArgumentException"/>. One thread at a time may use
/// a trainer, and none may use its model during an update.
/// </remarks>
public sealed class AdamWTrainer : Trainer
{
    /// <summary>Makes a trainer.</summary>
    /// <param name="model">What it trains, sub-collections included.</param>
    /// <param name="learningRate">Finite, 0 or more.</param>
    /// <param name="beta1">The decay of the mean of the gradients, 0 or more and less than 1.</param>
    /// <param name="beta2">The decay of the mean of their squares, 0 or more and less than 1.</param>
    /// <param name="epsilon">What keeps the step finite where there were no gradients, more than 0.</param>
    /// <param name="decay">The weight decay, finite, 0 or more.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public AdamWTrainer(
        Model model,
        double learningRate = 0.001,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-8,
        double decay = 0.01)
        : base(Create(model, learningRate, beta1, beta2, epsilon, decay))
    {
    }

    private static TrainerHandle Create(
        Model model, double learningRate, double beta1, double beta2, double epsilon, double decay)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Lease lease = model.Lease();
        return TrainerCalls.CreateAdamW(lease.Pointer, learningRate, beta1, beta2, epsilon, decay);
    }
}
