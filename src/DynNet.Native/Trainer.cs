using System.Runtime.InteropServices;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Changes the parameters of a model by the gradients that have accumulated: an optimiser. Its kinds are <see
/// cref="SimpleSgdTrainer"/>, <see cref="CyclicalSgdTrainer"/>, <see cref="MomentumSgdTrainer"/>, <see
/// cref="NesterovSgdTrainer"/>, <see cref="AdagradTrainer"/>, <see cref="AdadeltaTrainer"/>, <see
/// cref="RmsPropTrainer"/>, <see cref="AdamTrainer"/>, <see cref="AdamWTrainer"/>, <see cref="AmsgradTrainer"/> and
/// <see cref="EGTrainer"/>.
/// </summary>
/// <remarks>
/// It holds on to the native model, which may be disposed before it. One thread at a time may use a trainer, and none
/// may use its model during an update. All members throw <see cref="ObjectDisposedException"/> once it is disposed.
/// </remarks>
public abstract partial class Trainer : IDisposable
{
    private readonly TrainerHandle _handle;

    private protected Trainer(TrainerHandle handle) => _handle = handle;

    /// <summary>How far an update goes: what the gradient is multiplied by. Finite, 0 or more.</summary>
    /// <exception cref="ArgumentException">The number is out of its range.</exception>
    public double LearningRate
    {
        get
        {
            using Lease lease = Lease();
            return TrainerCalls.LearningRate(lease.Pointer);
        }
        set
        {
            using Lease lease = Lease();
            Status.Check(NativeMethods.dn_trainer_set_learning_rate(lease.Pointer, value));
        }
    }

    /// <summary>
    /// The norm of all gradients together above which they are scaled down to it; 0 for no clipping. 5 by default, as
    /// in DyNet.
    /// </summary>
    /// <exception cref="ArgumentException">The number is negative or not finite.</exception>
    public double ClipThreshold
    {
        get
        {
            using Lease lease = Lease();
            return TrainerCalls.ClipThreshold(lease.Pointer);
        }
        set
        {
            using Lease lease = Lease();
            Status.Check(NativeMethods.dn_trainer_set_clip_threshold(lease.Pointer, value));
        }
    }

    /// <summary>
    /// The bound t of each element of the gradients: they are brought into [-t, t] before their norm is taken; 0, the
    /// default, for no bound.
    /// </summary>
    /// <exception cref="ArgumentException">The number is negative or not finite.</exception>
    public double ClipValue
    {
        get
        {
            using Lease lease = Lease();
            return TrainerCalls.ClipValue(lease.Pointer);
        }
        set
        {
            using Lease lease = Lease();
            Status.Check(NativeMethods.dn_trainer_set_clip_value(lease.Pointer, value));
        }
    }

    /// <summary>
    /// The learning rate of each update; null, the default, if <see cref="LearningRate"/> is set by hand. An update
    /// sets <see cref="LearningRate"/> to that of <see cref="StepCount"/> before it begins; if it fails, the rate is
    /// what it was.
    /// </summary>
    /// <remarks>
    /// It is no part of what <see cref="Save(string)"/> writes: set it again beside <see cref="Populate(string)"/>.
    /// </remarks>
    public LearningRateSchedule? Schedule { get; set; }

    /// <summary>
    /// Whether only those rows of a lookup table are updated that have a gradient. True by default, as in DyNet: much
    /// faster for large tables; trainers with a memory, such as Adam, then leave the other rows in peace.
    /// </summary>
    /// <remarks>
    /// False gives exact updates: those that the table would get as a parameter, to the bit, rows without a gradient
    /// having one of 0. For <see cref="SimpleSgdTrainer"/>, <see cref="CyclicalSgdTrainer"/> and <see
    /// cref="AdagradTrainer"/> sparse updates are exact too, and cost the same.
    /// </remarks>
    public bool SparseUpdates
    {
        get
        {
            using Lease lease = Lease();
            return TrainerCalls.SparseUpdates(lease.Pointer);
        }
        set
        {
            using Lease lease = Lease();
            Status.Check(NativeMethods.dn_trainer_set_sparse_updates(lease.Pointer, value ? 1 : 0));
        }
    }

    /// <summary>The number of updates made.</summary>
    public long UpdateCount
    {
        get
        {
            using Lease lease = Lease();
            return TrainerCalls.UpdateCount(lease.Pointer);
        }
    }

    /// <summary>The number of updates whose gradients were clipped.</summary>
    public long ClipCount
    {
        get
        {
            using Lease lease = Lease();
            return TrainerCalls.ClipCount(lease.Pointer);
        }
    }

    /// <summary>The number of updates since the trainer was made or restarted.</summary>
    public long StepCount
    {
        get
        {
            using Lease lease = Lease();
            return TrainerCalls.StepCount(lease.Pointer);
        }
    }

    /// <summary>The native trainer, for C++ code that works with it: a <c>dn_trainer*</c>.</summary>
    /// <remarks>Hold it with <see cref="SafeHandle.DangerousAddRef"/> while native code uses it.</remarks>
    public SafeHandle SafeHandle => _handle;

    /// <summary>Updates all parameters from the model's own gradients, and sets those to 0.</summary>
    /// <exception cref="ArgumentException">
    /// The <see cref="Schedule"/> gives a rate that is negative or not finite; or the trainer is an <see
    /// cref="AdamWTrainer"/>, and rate * decay is more than 1. Nothing was updated and the gradients stay.
    /// </exception>
    /// <exception cref="InvalidOperationException">A backward into the model is running in another thread.</exception>
    /// <exception cref="NotFiniteNumberException">
    /// Clipping is on, by norm or by value, and a gradient is NaN or infinite. Nothing was updated and the gradients
    /// stay: call <see cref="Model.ResetGradients"/> to go on without them.
    /// </exception>
    /// <remarks>
    /// A parameter that never had a gradient is left alone, but for decay; one that had is updated with a gradient of 0
    /// where there is none. Frozen ones are left out: see <see cref="Parameter.IsUpdated"/>. What a <see
    /// cref="Schedule"/> throws is passed on, before anything is updated.
    /// </remarks>
    public void Update()
    {
        using Lease lease = Lease();
        double? rateBefore = FollowSchedule(lease.Pointer);
        NativeStatus status = NativeMethods.dn_trainer_update(lease.Pointer);
        Check(status, lease.Pointer, rateBefore);
    }

    /// <summary>Adds gradient sets to the model's own, sets them to 0, and updates all parameters.</summary>
    /// <param name="sets">In the order in which they are added, which decides the last bits of the sum.</param>
    /// <exception cref="ArgumentException">
    /// A set is of another model; or the <see cref="Schedule"/> gives a rate that is negative or not finite; or the
    /// trainer is an <see cref="AdamWTrainer"/>, and rate * decay is more than 1. Nothing was updated and all gradients
    /// stay, those of the sets in these.
    /// </exception>
    /// <exception cref="ArgumentNullException">A set is null.</exception>
    /// <exception cref="InvalidOperationException">A backward into a set or the model is running.</exception>
    /// <exception cref="NotFiniteNumberException">
    /// Clipping is on, by norm or by value, and a gradient is NaN or infinite. Nothing was updated, but the sets have
    /// been added to the model's own gradients, which stay: call <see cref="Model.ResetGradients"/> to go on without
    /// them.
    /// </exception>
    /// <exception cref="ObjectDisposedException">A set is disposed.</exception>
    /// <remarks>What a <see cref="Schedule"/> throws is passed on, before anything is updated.</remarks>
    public void Update(ReadOnlySpan<GradientSet> sets)
    {
        using Lease lease = Lease();
        Span<nint> pointers = sets.Length <= 64 ? stackalloc nint[sets.Length] : new nint[sets.Length];
        int held = 0;
        try
        {
            for (; held < sets.Length; held++)
            {
                ArgumentNullException.ThrowIfNull(sets[held], nameof(sets));
                // Not disposed here: the lease ends below, when the call is back.
                pointers[held] = sets[held].Lease().Pointer;
            }
            double? rateBefore = FollowSchedule(lease.Pointer);
            Check(TrainerCalls.UpdateFrom(lease.Pointer, pointers), lease.Pointer, rateBefore);
        }
        finally
        {
            for (int i = 0; i < held; i++)
                sets[i].SafeHandle.DangerousRelease();
        }
    }

    /// <summary>
    /// Updates some of the parameters, and sets their gradients to 0. Nothing else is changed: the others keep their
    /// values and gradients, and do not count for <see cref="ClipThreshold"/>.
    /// </summary>
    /// <param name="parameters">Of the trainer's model.</param>
    /// <param name="lookupParameters">Of the trainer's model; none by default.</param>
    /// <exception cref="ArgumentException">
    /// One is not of the trainer's model; or the <see cref="Schedule"/> gives a rate that is negative or not finite; or
    /// the trainer is an <see cref="AdamWTrainer"/>, and rate * decay is more than 1. Nothing was updated and the
    /// gradients stay.
    /// </exception>
    /// <exception cref="ArgumentNullException">One is null.</exception>
    /// <exception cref="InvalidOperationException">A backward into the model is running in another thread.</exception>
    /// <exception cref="NotFiniteNumberException">
    /// Clipping is on, by norm or by value, and one of their gradients is NaN or infinite. Nothing was updated and the
    /// gradients stay.
    /// </exception>
    /// <exception cref="ObjectDisposedException">One is of a model that is disposed.</exception>
    /// <remarks>What a <see cref="Schedule"/> throws is passed on, before anything is updated.</remarks>
    public void UpdateSubset(
        ReadOnlySpan<Parameter> parameters, ReadOnlySpan<LookupParameter> lookupParameters = default)
    {
        using Lease lease = Lease();
        // Each is kept alive by an array of our own, so that the native side may look at one of another model.
        Parameter[] dense = parameters.ToArray();
        LookupParameter[] sparse = lookupParameters.ToArray();
        nint[] pointers = new nint[parameters.Length];
        for (int i = 0; i < pointers.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(parameters[i], nameof(parameters));
            pointers[i] = parameters[i].Pointer;
        }
        nint[] tables = new nint[lookupParameters.Length];
        for (int i = 0; i < tables.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(lookupParameters[i], nameof(lookupParameters));
            tables[i] = lookupParameters[i].Pointer;
        }
        double? rateBefore = FollowSchedule(lease.Pointer);
        Check(TrainerCalls.UpdateSubset(lease.Pointer, pointers, tables), lease.Pointer, rateBefore);
        GC.KeepAlive(dense);
        GC.KeepAlive(sparse);
    }

    /// <summary>
    /// Forgets what the trainer remembers of gradients, and counts <see cref="StepCount"/> from 0 again, so that it
    /// starts anew with the values as they are. Settings and other counts stay, moving averages too.
    /// </summary>
    /// <remarks>
    /// So the corrections of Adam's first steps and the cycle of a cyclical rate begin anew too; in DyNet the step count
    /// goes on, and a cycle does.
    /// </remarks>
    public void Restart()
    {
        using Lease lease = Lease();
        Status.Check(NativeMethods.dn_trainer_restart(lease.Pointer));
    }

    /// <summary>Starts anew, as <see cref="Restart()"/> does, with a new learning rate.</summary>
    /// <param name="learningRate">Finite, 0 or more.</param>
    /// <remarks>A <see cref="Schedule"/> goes on to decide the rate of the next update: set it to null first.</remarks>
    /// <exception cref="ArgumentException">The rate is out of its range; nothing was changed.</exception>
    public void Restart(double learningRate)
    {
        LearningRate = learningRate;
        Restart();
        LearningRate = learningRate;
    }

    /// <summary>What the trainer did since this was last called: DyNet's <c>status()</c>.</summary>
    /// <returns>The numbers; as text they are what DyNet prints.</returns>
    public TrainerStatus ReadStatus()
    {
        using Lease lease = Lease();
        return TrainerCalls.ReadStatus(lease.Pointer, reset: true);
    }

    /// <summary>What <see cref="ReadStatus"/> would give, which goes on counting.</summary>
    /// <returns>Such as <c>AdamTrainer [lr=0.1 clips=3 updates=100]</c>.</returns>
    public override string ToString()
    {
        if (_handle.IsClosed)
            return GetType().Name;
        using Lease lease = Lease();
        return $"{GetType().Name} {TrainerCalls.ReadStatus(lease.Pointer, reset: false)}";
    }

    /// <summary>Frees the trainer, as soon as no call uses it any more.</summary>
    public void Dispose()
    {
        _handle.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Sets the rate of the update that begins, and returns the one that was set before; null without a schedule.
    /// </summary>
    /// <exception cref="ArgumentException">The schedule's rate is out of its range.</exception>
    private double? FollowSchedule(nint trainer)
    {
        if (Schedule is not { } schedule)
            return null;
        double before = TrainerCalls.LearningRate(trainer);
        double rate = schedule.Rate(TrainerCalls.StepCount(trainer));
        Status.Check(NativeMethods.dn_trainer_set_learning_rate(trainer, rate));
        return before;
    }

    /// <summary>Throws unless an update succeeded. The schedule's rate then goes as it came.</summary>
    private static void Check(NativeStatus status, nint trainer, double? rateBefore)
    {
        // A call that succeeds leaves the message of the one that failed.
        if (status != NativeStatus.Ok && rateBefore is { } rate)
            _ = NativeMethods.dn_trainer_set_learning_rate(trainer, rate);
        Status.Check(status);
    }

    private Lease Lease() => new(_handle, this);
}
