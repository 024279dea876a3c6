using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>How a parameter gets its first values. Where none is given, it is <see cref="Glorot"/>.</summary>
/// <remarks>
/// The random ones draw from the model's seed: one seed gives one model. Immutable, so safe to use from any thread and
/// for any number of parameters.
/// </remarks>
public sealed class Initializer
{
    private readonly float[] _values;

    private Initializer(NativeInitializerKind kind, double a = 0, double b = 0, float[]? values = null)
    {
        Kind = kind;
        A = a;
        B = b;
        _values = values ?? [];
    }

    /// <summary>The identity matrix.</summary>
    /// <remarks>
    /// For square matrices only: others throw <see cref="ShapeMismatchException"/> when they are added.
    /// </remarks>
    public static Initializer Identity { get; } = new(NativeInitializerKind.Identity);

    internal NativeInitializerKind Kind { get; }

    internal double A { get; }

    internal double B { get; }

    internal ReadOnlySpan<float> Values => _values;

    /// <summary>
    /// Uniform on (-s, s), which keeps the variance of values and gradients level from layer to layer (Glorot and
    /// Bengio 2010): s = gain * sqrt(6 / (m + n)) for a matrix {m, n}, gain * sqrt(3 / n) for a vector {n} or the rows
    /// {n} of a lookup table, as in DyNet.
    /// </summary>
    /// <param name="gain">More than 0; larger for saturating functions, 1 by default.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gain"/> is not a positive number.</exception>
    public static Initializer Glorot(double gain = 1)
    {
        RequireFinite(gain, nameof(gain));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(gain);
        return new Initializer(NativeInitializerKind.Glorot, gain);
    }

    /// <summary>Uniform on [low, high).</summary>
    /// <param name="low">The least value.</param>
    /// <param name="high">More than <paramref name="low"/>.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The interval is empty or not finite.</exception>
    public static Initializer Uniform(double low, double high)
    {
        RequireFinite(low, nameof(low));
        RequireFinite(high, nameof(high));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(high, low);
        return new Initializer(NativeInitializerKind.Uniform, low, high);
    }

    /// <summary>Normally distributed.</summary>
    /// <param name="mean">The mean, 0 by default.</param>
    /// <param name="standardDeviation">0 or more, 1 by default. DyNet's constructor takes the variance instead.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is not finite, or the deviation is negative.</exception>
    public static Initializer Normal(double mean = 0, double standardDeviation = 1)
    {
        RequireFinite(mean, nameof(mean));
        RequireFinite(standardDeviation, nameof(standardDeviation));
        ArgumentOutOfRangeException.ThrowIfNegative(standardDeviation);
        return new Initializer(NativeInitializerKind.Normal, mean, standardDeviation);
    }

    /// <summary>Every element is one number.</summary>
    /// <param name="value">The number.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is not finite.</exception>
    public static Initializer Constant(double value)
    {
        RequireFinite(value, nameof(value));
        return new Initializer(NativeInitializerKind.Constant, value);
    }

    /// <summary>The values given.</summary>
    /// <param name="values">
    /// Column-major, as many as the parameter has elements; for a lookup table row after row. They are copied.
    /// </param>
    /// <returns>The initializer.</returns>
    /// <remarks>
    /// Another number of values throws <see cref="ShapeMismatchException"/> when a parameter is added.
    /// </remarks>
    public static Initializer FromArray(ReadOnlySpan<float> values) =>
        new(NativeInitializerKind.Values, values: values.ToArray());

    private static void RequireFinite(double value, string name)
    {
        if (!double.IsFinite(value))
            throw new ArgumentOutOfRangeException(name, value, "The number must be finite.");
    }
}
