using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// A trained tensor. It is owned by its <see cref="Model"/>, is changed by a <see cref="Trainer"/>, and stands for
/// itself in expressions: in <c>W * x</c> the graph of <c>x</c> takes <c>W</c> up, once for each graph.
/// </summary>
/// <remarks>
/// Any number of threads may read it at once, whether directly or through their graphs; changing it beside that is an
/// error of the program. Two objects for the same parameter are equal. Of one that was made for a builder whose
/// constructor failed, all but the name and the shape throws <see cref="InvalidOperationException"/>.
/// </remarks>
public sealed partial class Parameter : IEquatable<Parameter>
{
    private readonly Model _root;
    private readonly nint _pointer;

    internal Parameter(Model root, nint pointer)
    {
        _root = root;
        _pointer = pointer;
        Name = ParameterCalls.Name(pointer);
        Dim = ParameterCalls.Dim(pointer);
    }

    /// <summary>The full name, such as <c>/encoder/W</c>.</summary>
    public string Name { get; }

    /// <summary>The shape.</summary>
    public Dim Dim { get; }

    /// <summary>The values, column-major, where they lie.</summary>
    /// <remarks>
    /// A view, valid until the model is disposed or collected. The span keeps neither the parameter nor its model
    /// alive: hold a reference to one of them, or take a copy by <see cref="ToArray"/>. An update shows in it.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public ReadOnlySpan<float> Values
    {
        get
        {
            ReadOnlySpan<float> values = ParameterCalls.Values(Pointer);
            GC.KeepAlive(_root);
            return values;
        }
    }

    /// <summary>
    /// The gradient that has accumulated since the latest update, column-major, where it lies; zeros if there is none.
    /// </summary>
    /// <remarks>
    /// A view, valid as long as that of <see cref="Values"/>; <see cref="GradientToArray"/> makes a copy. Each backward
    /// and update shows in it.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// There is none yet, and a backward or an update on another thread may be writing it.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public ReadOnlySpan<float> Gradient
    {
        get
        {
            ReadOnlySpan<float> gradient = ParameterCalls.Gradient(Pointer);
            GC.KeepAlive(_root);
            return gradient;
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
            return ParameterCalls.IsUpdated(Pointer);
        }
        set
        {
            using Lease lease = _root.Lease();
            Status.Check(NativeMethods.dn_parameter_set_updated(Pointer, value ? 1 : 0));
        }
    }

    /// <summary>The model that the parameter belongs to, or the one that this is a part of.</summary>
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

    /// <summary>A copy of the values, column-major.</summary>
    /// <returns>As many numbers as the parameter has elements.</returns>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public float[] ToArray()
    {
        using Lease lease = _root.Lease();
        return ParameterCalls.Values(Pointer).ToArray();
    }

    /// <summary>Copies the values, column-major.</summary>
    /// <param name="destination">At least as long as the parameter has elements.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void CopyTo(Span<float> destination)
    {
        using Lease lease = _root.Lease();
        ParameterCalls.Values(Pointer).CopyTo(destination);
    }

    /// <summary>A copy of the gradient that <see cref="Gradient"/> shows, column-major.</summary>
    /// <returns>As many numbers as the parameter has elements.</returns>
    /// <exception cref="InvalidOperationException">
    /// There is none yet, and a backward or an update on another thread may be writing it.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public float[] GradientToArray()
    {
        using Lease lease = _root.Lease();
        return ParameterCalls.Gradient(Pointer).ToArray();
    }

    /// <summary>Replaces all values.</summary>
    /// <param name="values">Column-major, as many as the parameter has elements.</param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ShapeMismatchException">The number of values is another.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void SetValues(ReadOnlySpan<float> values)
    {
        using Lease lease = _root.Lease();
        ParameterCalls.SetValues(Pointer, values);
    }

    /// <summary>Sets the values and the gradient to 0.</summary>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="InvalidOperationException">A backward into the model is running in another thread.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Zero()
    {
        using Lease lease = _root.Lease();
        Status.Check(NativeMethods.dn_parameter_zero(Pointer));
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
        Status.Check(NativeMethods.dn_parameter_clip(Pointer, low, high));
    }

    /// <summary>Multiplies all values by a number.</summary>
    /// <param name="factor">Finite.</param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">The number is not finite.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Scale(double factor)
    {
        using Lease lease = _root.Lease();
        Status.Check(NativeMethods.dn_parameter_scale(Pointer, factor));
    }

    /// <summary>Multiplies the gradient that has accumulated by a number.</summary>
    /// <param name="factor">Finite.</param>
    /// <exception cref="ArgumentException">The number is not finite.</exception>
    /// <exception cref="InvalidOperationException">A backward into the model is running in another thread.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void ScaleGradient(double factor)
    {
        using Lease lease = _root.Lease();
        Status.Check(NativeMethods.dn_parameter_scale_gradient(Pointer, factor));
    }

    /// <inheritdoc/>
    public bool Equals(Parameter? other) => other is not null && other._pointer == _pointer && other._root == _root;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Parameter);

    /// <inheritdoc/>
    public override int GetHashCode() => _pointer.GetHashCode();

    /// <summary>The name and shape, as a model file has them.</summary>
    /// <returns>Such as <c>/encoder/W {8,2}</c>.</returns>
    public override string ToString() => $"{Name} {Dim}";
}
