using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Gradient descent with a learning rate that goes up and down in cycles (Smith 2017): w -= rate * g. An update moves
/// <see cref="Trainer.LearningRate"/> on.
/// </summary>
/// <remarks>
/// The rate of the first update is the least; that of update t + 2 is, for t from 0, min + (max - min) * max(0, 1 - x)
/// * gamma^t, where x = |t / step - 2 cycle + 1| and cycle = floor(1 + t / (2 step)), as in DyNet. One thread at a time
/// may use a trainer, and none may use its model during an update.
/// </remarks>
public sealed class CyclicalSgdTrainer : Trainer
{
    /// <summary>Makes a trainer.</summary>
    /// <param name="model">What it trains, sub-collections included.</param>
    /// <param name="learningRateMin">The least rate, finite, 0 or more.</param>
    /// <param name="learningRateMax">The largest, finite, not less than the least.</param>
    /// <param name="stepSize">Half a cycle in updates, more than 0.</param>
    /// <param name="gamma">By how much each update shrinks the tops, more than 0, at most 1.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public CyclicalSgdTrainer(
        Model model,
        double learningRateMin = 0.01,
        double learningRateMax = 0.1,
        double stepSize = 2000,
        double gamma = 1)
        : base(Create(model, learningRateMin, learningRateMax, stepSize, gamma))
    {
    }

    private static TrainerHandle Create(
        Model model, double learningRateMin, double learningRateMax, double stepSize, double gamma)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Lease lease = model.Lease();
        return TrainerCalls.CreateCyclicalSgd(lease.Pointer, learningRateMin, learningRateMax, stepSize, gamma);
    }
}
