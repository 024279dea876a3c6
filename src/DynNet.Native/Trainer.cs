using System.Runtime.InteropServices;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Changes the parameters of a model by the gradients that have accumulated: an optimiser. Its kinds are <see
/// cref="SimpleSgdTrainer"/>, <see cref="MomentumSgdTrainer"/> and <see cref="AdamTrainer"/>.
/// </summary>
/// <remarks>
/// It holds on to the native model, which may be disposed before it. One thread at a time may use a trainer, and none
/// may use its model during an update. All members throw <see cref="ObjectDisposedException"/> once it is disposed.
/// </remarks>
public abstract class Trainer : IDisposable
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
    /// Whether only those rows of a lookup table are updated that have a gradient. True by default, as in DyNet: much
    /// faster for large tables; trainers with a memory, such as Adam, then leave the other rows in peace.
    /// </summary>
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
    public long UpdatesCount
    {
        get
        {
            using Lease lease = Lease();
            return TrainerCalls.UpdatesCount(lease.Pointer);
        }
    }

    /// <summary>The number of updates whose gradients were clipped.</summary>
    public long ClipsCount
    {
        get
        {
            using Lease lease = Lease();
            return TrainerCalls.ClipsCount(lease.Pointer);
        }
    }

    /// <summary>The native trainer, for C++ code that works with it: a <c>dn_trainer*</c>.</summary>
    /// <remarks>Hold it with <see cref="SafeHandle.DangerousAddRef"/> while native code uses it.</remarks>
    public SafeHandle SafeHandle => _handle;

    /// <summary>Updates all parameters from the model's own gradients, and sets those to 0.</summary>
    /// <exception cref="InvalidOperationException">A backward into the model is running in another thread.</exception>
    /// <exception cref="NotFiniteNumberException">
    /// Clipping is on, and the norm of the gradients is NaN or infinite. Nothing was updated and the gradients stay:
    /// call <see cref="Model.ResetGradients"/> to go on without them.
    /// </exception>
    public void Update()
    {
        using Lease lease = Lease();
        Status.Check(NativeMethods.dn_trainer_update(lease.Pointer));
    }

    /// <summary>Adds gradient sets to the model's own, sets them to 0, and updates all parameters.</summary>
    /// <param name="sets">In the order in which they are added, which decides the last bits of the sum.</param>
    /// <exception cref="ArgumentException">A set is of another model.</exception>
    /// <exception cref="InvalidOperationException">A backward into a set or the model is running.</exception>
    /// <exception cref="NotFiniteNumberException">
    /// Clipping is on, and the norm of the gradients is NaN or infinite. Nothing was updated, but the sets have been
    /// added to the model's own gradients, which stay: call <see cref="Model.ResetGradients"/> to go on without them.
    /// </exception>
    /// <exception cref="ObjectDisposedException">A set is disposed.</exception>
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
            TrainerCalls.UpdateFrom(lease.Pointer, pointers);
        }
        finally
        {
            for (int i = 0; i < held; i++)
                sets[i].SafeHandle.DangerousRelease();
        }
    }

    /// <summary>Frees the trainer, as soon as no call uses it any more.</summary>
    public void Dispose()
    {
        _handle.Dispose();
        GC.SuppressFinalize(this);
    }

    private Lease Lease() => new(_handle, this);
}
