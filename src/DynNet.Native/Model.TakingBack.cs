using System.Collections.Immutable;
using DynNet.Native.Interop;

namespace DynNet.Native;

// Adding several parameters, all or none.
public sealed partial class Model
{
    // How often parameters were taken back; a root's.
    private int _generation;

    // The native parameters and tables that were taken back; a root's. Objects for them may still be in somebody's
    // hands.
    private ImmutableHashSet<nint> _takenBack = [];

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
        long parameters = ModelCalls.ParametersCount(model), tables = ModelCalls.LookupParametersCount(model);
        try
        {
            return add();
        }
        catch
        {
            _root.TakeBack(model, mark, parameters, tables);
            throw;
        }
    }

    /// <summary>As the other, for what returns nothing.</summary>
    internal void AllOrNothing(Action add) => AllOrNothing(() =>
    {
        add();
        return true;
    });

    /// <summary>Notes that there is a native parameter or table.</summary>
    internal void Has(nint member)
    {
        // Its memory may be that of one that was taken back.
        if (_takenBack.Contains(member))
            ImmutableInterlocked.Update(ref _takenBack, taken => taken.Remove(member));
    }

    /// <summary>Throws if the model, or the one that it is a part of, is disposed or has lost a member.</summary>
    internal void ThrowIfGone(nint member)
    {
        ObjectDisposedException.ThrowIf(_root._handle.IsClosed, this);
        if (!_takenBack.IsEmpty && _takenBack.Contains(member))
        {
            throw new InvalidOperationException(
                "The parameter was taken back: it was made for a builder whose constructor failed.");
        }
    }

    private void TakeBack(nint model, MarkHandle mark, long parameters, long tables)
    {
        var taken = new List<nint>();
        for (long i = parameters; i < ModelCalls.ParametersCount(model); i++)
            taken.Add(ModelCalls.ParameterAt(model, i));
        for (long i = tables; i < ModelCalls.LookupParametersCount(model); i++)
            taken.Add(ModelCalls.LookupParameterAt(model, i));
        Status.Check(NativeMethods.dn_model_rollback(model, mark.DangerousGetHandle()));
        ImmutableInterlocked.Update(ref _takenBack, before => before.Union(taken));
        _generation++;
    }
}
