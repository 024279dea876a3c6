using System.Runtime.InteropServices;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Gradients of a model's parameters apart from the model's own: a place for one worker's, so that several threads may
/// call <see cref="Expression.Backward"/> for one model at once. <see
/// cref="Trainer.Update(ReadOnlySpan{GradientSet})"/> merges them.
/// </summary>
/// <remarks>One thread at a time may write a set; two at once throw <see cref="InvalidOperationException"/>.</remarks>
public sealed class GradientSet : IDisposable
{
    private readonly GradientsHandle _handle;

    /// <summary>Makes an empty set.</summary>
    /// <param name="model">
    /// The model whose gradients it takes. A sub-collection names the model that it is a part of: a set takes the
    /// gradients of all of that.
    /// </param>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public GradientSet(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Lease lease = model.Lease();
        _handle = GradientsCalls.Create(lease.Pointer);
    }

    /// <summary>The native set, for C++ code that works on it: a <c>dn_gradients*</c>.</summary>
    /// <remarks>Hold it with <see cref="SafeHandle.DangerousAddRef"/> while native code uses it.</remarks>
    public SafeHandle SafeHandle => _handle;

    /// <summary>The gradient of one parameter in the set, column-major, where it lies.</summary>
    /// <param name="parameter">A parameter of the set's model.</param>
    /// <remarks>
    /// A view, valid until the set changes, is disposed or is collected. The span does not keep the set alive: hold a
    /// reference to it, or take a copy by <see cref="GradientToArray"/>.
    /// </remarks>
    /// <exception cref="ArgumentException">The parameter is of another model.</exception>
    /// <exception cref="ObjectDisposedException">The set or the model is disposed.</exception>
    public ReadOnlySpan<float> this[Parameter parameter]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(parameter);
            using Lease lease = Lease();
            ReadOnlySpan<float> gradient = GradientsCalls.Parameter(lease.Pointer, parameter.Pointer);
            GC.KeepAlive(parameter);
            return gradient;
        }
    }

    /// <summary>The gradient of one parameter in the set; zeros if it has none.</summary>
    /// <param name="parameter">A parameter of the set's model.</param>
    /// <returns>A copy, column-major.</returns>
    /// <exception cref="ArgumentException">The parameter is of another model.</exception>
    /// <exception cref="ObjectDisposedException">The set or the model is disposed.</exception>
    public float[] GradientToArray(Parameter parameter)
    {
        float[] copy = this[parameter].ToArray();
        GC.KeepAlive(this);
        return copy;
    }

    /// <summary>The gradient of one row of a lookup table in the set; zeros if it has none.</summary>
    /// <param name="table">A table of the set's model.</param>
    /// <param name="row">0 to the table's number of rows - 1.</param>
    /// <returns>A copy, column-major.</returns>
    /// <exception cref="ArgumentException">The table is of another model.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="InvalidOperationException">Another call is writing the gradients.</exception>
    /// <exception cref="ObjectDisposedException">The set or the model is disposed.</exception>
    public float[] RowGradient(LookupParameter table, int row)
    {
        ArgumentNullException.ThrowIfNull(table);
        table.CheckRow(row);
        using Lease lease = Lease();
        float[] values = new float[table.Dim.Size];
        GradientsCalls.LookupRow(lease.Pointer, table.Pointer, row, values);
        GC.KeepAlive(table);
        return values;
    }

    /// <summary>Sets all gradients of the set to 0.</summary>
    /// <exception cref="ObjectDisposedException">The set is disposed.</exception>
    public void Reset()
    {
        using Lease lease = Lease();
        Status.Check(NativeMethods.dn_gradients_reset(lease.Pointer));
    }

    /// <summary>Frees the set, as soon as no call uses it any more.</summary>
    public void Dispose() => _handle.Dispose();

    /// <summary>Keeps the native set alive for a call.</summary>
    internal Lease Lease() => new(_handle, this);
}
