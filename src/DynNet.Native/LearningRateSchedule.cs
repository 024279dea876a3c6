namespace DynNet.Native;

/// <summary>
/// A learning rate for each update: <c>trainer.Schedule = LearningRateSchedule.Cosine(0.1, 0, 1000).WithWarmUp(50)</c>.
/// Derive from it for a schedule of your own.
/// </summary>
/// <remarks>
/// The rate is a function of the number of the update alone, so that it needs no saving and one schedule may serve any
/// number of trainers and threads.
/// </remarks>
public abstract class LearningRateSchedule
{
    /// <summary>The rate of an update.</summary>
    /// <param name="update">
    /// How many updates came before it since the trainer was made or restarted, from 0.
    /// </param>
    /// <returns>Finite, 0 or more.</returns>
    public abstract double Rate(long update);

    /// <summary>One rate for all updates.</summary>
    /// <param name="rate">Finite, 0 or more.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of its range.</exception>
    public static LearningRateSchedule Constant(double rate)
    {
        RequireRate(rate, nameof(rate));
        return new Function(_ => rate);
    }

    /// <summary>Exponential decay: rate * factor^(update / period), at every update a little.</summary>
    /// <param name="rate">The first rate, finite, 0 or more.</param>
    /// <param name="factor">What the rate is multiplied by in a period, more than 0 and finite.</param>
    /// <param name="period">In updates, at least 1; that of an epoch, for instance.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public static LearningRateSchedule ExponentialDecay(double rate, double factor, long period = 1)
    {
        RequireRate(rate, nameof(rate));
        RequirePositive(factor, nameof(factor));
        ArgumentOutOfRangeException.ThrowIfLessThan(period, 1);
        return new Function(update => rate * Math.Pow(factor, (double)update / period));
    }

    /// <summary>Steps: rate * factor^floor(update / period).</summary>
    /// <param name="rate">The first rate, finite, 0 or more.</param>
    /// <param name="factor">What the rate is multiplied by after each period, more than 0 and finite.</param>
    /// <param name="period">In updates, at least 1.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public static LearningRateSchedule Step(double rate, double factor, long period)
    {
        RequireRate(rate, nameof(rate));
        RequirePositive(factor, nameof(factor));
        ArgumentOutOfRangeException.ThrowIfLessThan(period, 1);
        return new Function(update => rate * Math.Pow(factor, update / period));
    }

    /// <summary>
    /// Inverse time: rate / (1 + decay * t), t the number of whole periods. With the updates of an epoch as the period
    /// this is what DyNet's <c>update_epoch</c> did with its <c>edecay</c>.
    /// </summary>
    /// <param name="rate">The first rate, finite, 0 or more.</param>
    /// <param name="decay">Finite, 0 or more.</param>
    /// <param name="period">In updates, at least 1.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public static LearningRateSchedule InverseTime(double rate, double decay, long period = 1)
    {
        RequireRate(rate, nameof(rate));
        RequireRate(decay, nameof(decay));
        ArgumentOutOfRangeException.ThrowIfLessThan(period, 1);
        return new Function(update => rate / (1 + decay * (update / period)));
    }

    /// <summary>
    /// Half a cosine from one rate to another (Loshchilov and Hutter 2017), which stays from then on.
    /// </summary>
    /// <param name="rate">The first rate, finite, 0 or more.</param>
    /// <param name="finalRate">That of update <paramref name="length"/> and all after it, finite, 0 or more.</param>
    /// <param name="length">In updates, at least 1.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public static LearningRateSchedule Cosine(double rate, double finalRate, long length)
    {
        RequireRate(rate, nameof(rate));
        RequireRate(finalRate, nameof(finalRate));
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        return new Function(update =>
            update >= length
                ? finalRate
                : finalRate + (rate - finalRate) * (1 + Math.Cos(Math.PI * update / length)) / 2);
    }

    /// <summary>
    /// Up and down (Smith 2017), as <see cref="CyclicalSgdTrainer"/> does, for any trainer; for <see cref="EGTrainer"/>
    /// DyNet's <c>enableCyclicalLR</c>. Where that one's first two updates have the least rate, here the first alone
    /// has.
    /// </summary>
    /// <param name="learningRateMin">The least rate, finite, 0 or more.</param>
    /// <param name="learningRateMax">The largest, finite, not less than the least.</param>
    /// <param name="stepSize">Half a cycle in updates, more than 0.</param>
    /// <param name="gamma">By how much each update shrinks the tops, more than 0, at most 1.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public static LearningRateSchedule Cyclical(
        double learningRateMin, double learningRateMax, double stepSize, double gamma = 1)
    {
        RequireRate(learningRateMin, nameof(learningRateMin));
        RequireRate(learningRateMax, nameof(learningRateMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(learningRateMax, learningRateMin);
        RequirePositive(stepSize, nameof(stepSize));
        RequirePositive(gamma, nameof(gamma));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(gamma, 1);
        return new Function(update =>
        {
            double cycle = Math.Floor(1 + update / (2 * stepSize));
            double x = Math.Abs(update / stepSize - 2 * cycle + 1);
            return learningRateMin
                + (learningRateMax - learningRateMin) * Math.Max(0, 1 - x) * Math.Pow(gamma, update);
        });
    }

    /// <summary>
    /// A linear warm-up before this schedule: its first updates have the shares 1/n, 2/n and so on of this schedule's
    /// first rate, and then it begins.
    /// </summary>
    /// <param name="updates">The n updates of the warm-up, 0 or more.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public LearningRateSchedule WithWarmUp(long updates)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(updates);
        return new Function(update =>
            update < updates ? Rate(0) * (update + 1) / updates : Rate(update - updates));
    }

    /// <summary>This schedule for a while, then another one from its beginning.</summary>
    /// <param name="updates">How many updates this one is for, 0 or more.</param>
    /// <param name="next">The one after it.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public LearningRateSchedule Then(long updates, LearningRateSchedule next)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(updates);
        ArgumentNullException.ThrowIfNull(next);
        return new Function(update => update < updates ? Rate(update) : next.Rate(update - updates));
    }

    private static void RequireRate(double value, string name)
    {
        if (!double.IsFinite(value))
            throw new ArgumentOutOfRangeException(name, value, "The number must be finite.");
        ArgumentOutOfRangeException.ThrowIfNegative(value, name);
    }

    private static void RequirePositive(double value, string name)
    {
        RequireRate(value, name);
        ArgumentOutOfRangeException.ThrowIfZero(value, name);
    }

    private sealed class Function(Func<long, double> rate) : LearningRateSchedule
    {
        public override double Rate(long update)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(update);
            return rate(update);
        }
    }
}
