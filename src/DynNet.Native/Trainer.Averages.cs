using DynNet.Native.Interop;

namespace DynNet.Native;

// Moving averages of the values.
public abstract partial class Trainer
{
    /// <summary>Which average of the model's values the trainer keeps.</summary>
    public MovingAverage MovingAverage
    {
        get
        {
            using Lease lease = Lease();
            return TrainerCalls.AverageKind(lease.Pointer);
        }
    }

    /// <summary>Whether the model's values are their averages: see <see cref="SwapToMovingAverage"/>.</summary>
    public bool IsSwappedToMovingAverage
    {
        get
        {
            using Lease lease = Lease();
            return TrainerCalls.IsSwapped(lease.Pointer);
        }
    }

    /// <summary>
    /// Keeps the mean of all values from now on: after the first update and each n-th after it they join the average.
    /// </summary>
    /// <param name="every">n, 1 or more.</param>
    /// <exception cref="ArgumentException">The number is out of its range.</exception>
    /// <exception cref="InvalidOperationException">An update was made already.</exception>
    public void UseCumulativeMovingAverage(int every = 1)
    {
        using Lease lease = Lease();
        Status.Check(NativeMethods.dn_trainer_use_cumulative_average(lease.Pointer, every));
    }

    /// <summary>
    /// Keeps an exponential average a = beta * a + (1 - beta) * w from now on, from 0 as in DyNet: after the first
    /// update and each n-th after it.
    /// </summary>
    /// <param name="beta">0 or more, less than 1.</param>
    /// <param name="every">n, 1 or more.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    /// <exception cref="InvalidOperationException">An update was made already.</exception>
    public void UseExponentialMovingAverage(double beta, int every = 1)
    {
        using Lease lease = Lease();
        Status.Check(NativeMethods.dn_trainer_use_exponential_average(lease.Pointer, beta, every));
    }

    /// <summary>
    /// Sets the model's values to their averages, to evaluate or save it with them; nothing happens if they are that
    /// already. Parameters added since the latest average keep their values.
    /// </summary>
    /// <param name="saveWeights">
    /// Whether the values are kept for <see cref="SwapToWeights"/>; the next update then goes back to them first, and
    /// without them throws <see cref="InvalidOperationException"/>.
    /// </param>
    /// <param name="biasCorrection">
    /// Divides an exponential average of n values by 1 - beta^n, which takes out the 0 that it started from.
    /// </param>
    /// <remarks>
    /// Values that are set meanwhile, by hand, from a file or by another trainer, are lost when the weights come back.
    /// Must not run beside anything else that uses the model.
    /// </remarks>
    /// <exception cref="InvalidOperationException">There is no average, or no update was made yet.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    public void SwapToMovingAverage(bool saveWeights = true, bool biasCorrection = false)
    {
        using Lease lease = Lease();
        Status.Check(
            NativeMethods.dn_trainer_swap_to_average(lease.Pointer, saveWeights ? 1 : 0, biasCorrection ? 1 : 0));
    }

    /// <summary>
    /// Sets the model's values back to what they were before <see cref="SwapToMovingAverage"/>; nothing happens if they
    /// are not their averages.
    /// </summary>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="InvalidOperationException">They were not saved.</exception>
    public void SwapToWeights()
    {
        using Lease lease = Lease();
        Status.Check(NativeMethods.dn_trainer_swap_to_weights(lease.Pointer));
    }
}
