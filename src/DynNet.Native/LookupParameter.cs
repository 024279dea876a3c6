using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// A table of trained rows, such as word embeddings, read by index: <c>graph.Lookup(table, 3)</c>. It is owned by its
/// <see cref="Model"/>.
/// </summary>
/// <remarks>
/// Any number of threads may read it at once, whether directly or through their graphs; changing it beside that is an
/// error of the program. Two objects for the same table are equal. Of one that was made for a builder whose constructor
/// failed, all but the name and the shape throws <see cref="InvalidOperationException"/>.
/// </remarks>
public sealed partial class LookupParameter : IEquatable<LookupParameter>
{
    private readonly Model _root;
    private readonly nint _pointer;

    internal LookupParameter(Model root, nint pointer)
    {
        _root = root;
        _pointer = pointer;
        Name = ParameterCalls.LookupName(pointer);
        Dim = ParameterCalls.LookupDim(pointer);
        Rows = ParameterCalls.LookupRows(pointer);
    }

    /// <summary>The full name, such as <c>/encoder/embeddings</c>.</summary>
    public string Name { get; }

    /// <summary>The shape of one row.</summary>
    public Dim Dim { get; }

    /// <summary>The number of rows.</summary>
    public int Rows { get; }

    /// <summary>All values, row after row, each column-major, where they lie.</summary>
    /// <remarks>
    /// A view, valid until the model is disposed or collected. The span keeps neither the table nor its model alive:
    /// hold a reference to one of them, or take a copy by <see cref="ToArray"/>. An update shows in it.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    /// <exception cref="InvalidOperationException">
    /// The table holds more values than one span can: read it with <see cref="Row"/>.
    /// </exception>
    public ReadOnlySpan<float> Values
    {
        get
        {
            ReadOnlySpan<float> values = ParameterCalls.LookupValues(Pointer);
            GC.KeepAlive(_root);
            return values;
        }
    }

    /// <summary>
    /// Whether trainers update it; true by default. Frozen (false) it takes part in graphs as before and gets
    /// gradients, which add up until they are reset, but trainers leave it alone: no step, no weight decay, no part in
    /// the norm for clipping.
    /// </summary>
    /// <remarks>Must not be set beside an update.</remarks>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public bool IsUpdated
    {
        get
        {
            using Lease lease = _root.Lease();
            return ParameterCalls.LookupIsUpdated(Pointer);
        }
        set
        {
            using Lease lease = _root.Lease();
            Status.Check(NativeMethods.dn_lookup_parameter_set_updated(Pointer, value ? 1 : 0));
        }
    }

    /// <summary>The model that the table belongs to, or the one that this is a part of.</summary>
    internal Model Root => _root;

    /// <summary>The native parameter, for a call during which something keeps the model.</summary>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    internal nint Pointer
    {
        get
        {
            _root.ThrowIfDisposed();
            return _pointer;
        }
    }

    /// <summary>The values of one row, column-major, where they lie.</summary>
    /// <param name="row">0 to <see cref="Rows"/> - 1.</param>
    /// <returns>
    /// A view, valid as long as that of <see cref="Values"/>; <see cref="RowToArray"/> makes a copy. An update shows in
    /// it.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public ReadOnlySpan<float> Row(int row)
    {
        CheckRow(row);
        ReadOnlySpan<float> values = ParameterCalls.LookupRow(Pointer, row, Dim.Size);
        GC.KeepAlive(_root);
        return values;
    }

    /// <summary>A copy of all values, row after row, each column-major.</summary>
    /// <returns>As many numbers as the table has elements.</returns>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    /// <exception cref="InvalidOperationException">
    /// The table holds more values than one span can: read it with <see cref="RowToArray"/>.
    /// </exception>
    public float[] ToArray()
    {
        using Lease lease = _root.Lease();
        return ParameterCalls.LookupValues(Pointer).ToArray();
    }

    /// <summary>A copy of the values of one row, column-major.</summary>
    /// <param name="row">0 to <see cref="Rows"/> - 1.</param>
    /// <returns>As many numbers as a row has elements.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public float[] RowToArray(int row)
    {
        CheckRow(row);
        using Lease lease = _root.Lease();
        return ParameterCalls.LookupRow(Pointer, row, Dim.Size).ToArray();
    }

    /// <summary>Replaces all values.</summary>
    /// <param name="values">Row after row, each column-major.</param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ShapeMismatchException">Their number is not that of the table.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void SetValues(ReadOnlySpan<float> values)
    {
        using Lease lease = _root.Lease();
        ParameterCalls.LookupSetValues(Pointer, values);
    }

    /// <summary>Replaces the values of one row, for instance by an embedding trained elsewhere.</summary>
    /// <param name="row">0 to <see cref="Rows"/> - 1.</param>
    /// <param name="values">Column-major, as many as a row has elements.</param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ShapeMismatchException">The number of values is not that of a row.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void SetRow(int row, ReadOnlySpan<float> values)
    {
        CheckRow(row);
        using Lease lease = _root.Lease();
        ParameterCalls.LookupSetRow(Pointer, row, values);
    }

    /// <summary>The gradient of one row that has accumulated since the latest update; zeros if it has none.</summary>
    /// <param name="row">0 to <see cref="Rows"/> - 1.</param>
    /// <returns>A copy, column-major.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="InvalidOperationException">Another call is writing the gradients.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public float[] RowGradient(int row)
    {
        CheckRow(row);
        using Lease lease = _root.Lease();
        float[] values = new float[Dim.Size];
        ParameterCalls.LookupRowGradient(Pointer, row, values);
        return values;
    }

    /// <summary>Sets the values and the gradient to 0.</summary>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="InvalidOperationException">A backward into the model is running in another thread.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Zero()
    {
        using Lease lease = _root.Lease();
        Status.Check(NativeMethods.dn_lookup_parameter_zero(Pointer));
    }

    /// <summary>Brings every value into [low, high]: DyNet's <c>clip_inplace</c>. NaN stays.</summary>
    /// <param name="low">A number, perhaps infinite.</param>
    /// <param name="high">Not less than <paramref name="low"/>.</param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">The bounds are not in order.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Clip(double low, double high)
    {
        using Lease lease = _root.Lease();
        Status.Check(NativeMethods.dn_lookup_parameter_clip(Pointer, low, high));
    }

    /// <summary>Multiplies all values by a number.</summary>
    /// <param name="factor">Finite.</param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">The number is not finite.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Scale(double factor)
    {
        using Lease lease = _root.Lease();
        Status.Check(NativeMethods.dn_lookup_parameter_scale(Pointer, factor));
    }

    /// <summary>Multiplies the gradient that has accumulated by a number.</summary>
    /// <param name="factor">Finite.</param>
    /// <exception cref="ArgumentException">The number is not finite.</exception>
    /// <exception cref="InvalidOperationException">A backward into the model is running in another thread.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void ScaleGradient(double factor)
    {
        using Lease lease = _root.Lease();
        Status.Check(NativeMethods.dn_lookup_parameter_scale_gradient(Pointer, factor));
    }

    /// <inheritdoc/>
    public bool Equals(LookupParameter? other) =>
        other is not null && other._pointer == _pointer && other._root == _root;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LookupParameter);

    /// <inheritdoc/>
    public override int GetHashCode() => _pointer.GetHashCode();

    /// <summary>The name, the number of rows and the shape of one.</summary>
    /// <returns>Such as <c>/embeddings 5000 x {128}</c>.</returns>
    public override string ToString() => $"{Name} {Rows} x {Dim}";

    /// <summary>Throws unless there is such a row.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    internal void CheckRow(int row)
    {
        if ((uint)row >= (uint)Rows)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"{Name} has rows 0 to {Rows - 1}.");
    }
}
