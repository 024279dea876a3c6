using DynNet.Native.Interop;

namespace DynNet.Native;

// Adding several parameters, all or none.
public sealed partial class Model
{
    // How often parameters were taken back; a root's.
    private int _generation;

    /// <summary>
    /// Runs what adds to the model. If it fails, the model becomes what it was before: parameters, sub-collections,
    /// names and what the next parameters begin with.
    /// </summary>
    /// <param name="add">Adds, and returns what was made.</param>
    /// <returns>What was made.</returns>
    internal T AllOrNothing<T>(Func<T> add)
    {
        using Lease lease = _root.Lease();
        nint model = lease.Pointer;
        using MarkHandle mark = ModelCalls.Mark(model);
        try
        {
            return add();
        }
        catch
        {
            _root._generation++;
            Status.Check(NativeMethods.dn_model_rollback(model, mark.DangerousGetHandle()));
            throw;
        }
    }

    /// <summary>As the other, for what returns nothing.</summary>
    internal void AllOrNothing(Action add) => AllOrNothing(() =>
    {
        add();
        return true;
    });

    /// <summary>Throws if the model is disposed, or the one that it is a part of.</summary>
    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_root._handle.IsClosed, this);
}
