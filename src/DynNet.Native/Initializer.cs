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

    private Initializer(
        NativeInitializerKind kind, double a = 0, double b = 0, float[]? values = null, string? path = null)
    {
        Kind = kind;
        A = a;
        B = b;
        _values = values ?? [];
        Path = path;
    }

    /// <summary>The identity matrix.</summary>
    /// <remarks>
    /// For square matrices only: others throw <see cref="ShapeMismatchException"/> when they are added.
    /// </remarks>
    public static Initializer Identity { get; } = new(NativeInitializerKind.Identity);

    internal NativeInitializerKind Kind { get; }

    internal NativeGlorotForm Form { get; private init; }

    internal double A { get; }

    internal double B { get; }

    internal ReadOnlySpan<float> Values => _values;

    internal string? Path { get; }

    /// <summary>
    /// Uniform on (-s, s), which keeps the variance of values and gradients level from layer to layer (Glorot and
    /// Bengio 2010): s = gain * sqrt(3 d / (n1 + ... + nd)) of d dimensions, which is gain * sqrt(6 / (m + n)) for a
    /// matrix {m, n} and gain * sqrt(3 / n) for a vector {n} or the rows {n} of a lookup table. Four dimensions {h, w,
    /// in, out} are a filter, with s = gain * sqrt(6 / (h * w * (in + out))). All this as in DyNet.
    /// </summary>
    /// <param name="gain">More than 0; larger for saturating functions, 1 by default.</param>
    /// <param name="isLookup">
    /// Whether the last dimension, which in a lookup table is the number of rows, only counts what is looked up and is
    /// left out: it counts neither in the sum nor in d. By default so for lookup tables, not for parameters.
    /// </param>
    /// <returns>The initializer.</returns>
    /// <remarks>
    /// A parameter with fewer than two dimensions has none to leave out, and one of <paramref name="isLookup"/> true
    /// throws <see cref="ShapeMismatchException"/> when it is added.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gain"/> is not a positive number.</exception>
    public static Initializer Glorot(double gain = 1, bool? isLookup = null)
    {
        RequireGain(gain);
        NativeGlorotForm form = isLookup switch
        {
            null => NativeGlorotForm.Auto,
            true => NativeGlorotForm.Lookup,
            false => NativeGlorotForm.Tensor,
        };
        return new Initializer(NativeInitializerKind.Glorot, gain) { Form = form };
    }

    /// <summary>
    /// A random orthonormal matrix times a gain (Saxe, McClelland and Ganguli 2014), each as likely as any other: the
    /// columns of a matrix {m, n}, or its rows if n > m, are at right angles.
    /// </summary>
    /// <param name="gain">The length of the columns, or rows, more than 0; 1 by default.</param>
    /// <returns>The initializer.</returns>
    /// <remarks>
    /// For matrices, and lookup tables whose rows are vectors: others throw <see cref="ShapeMismatchException"/> when
    /// they are added. DyNet takes square matrices only.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gain"/> is not a positive number.</exception>
    public static Initializer Saxe(double gain = 1)
    {
        RequireGain(gain);
        return new Initializer(NativeInitializerKind.Saxe, gain);
    }

    /// <summary>
    /// Normal with standard deviation gain * sqrt(2 / inputs), which keeps the variance level through rectifiers (He,
    /// Zhang, Ren and Sun 2015). The inputs are n of a matrix {m, n} or a vector {n}, h * w * in of a filter {h, w, in,
    /// out}.
    /// </summary>
    /// <param name="gain">More than 0; 1 by default.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gain"/> is not a positive number.</exception>
    public static Initializer HeNormal(double gain = 1)
    {
        RequireGain(gain);
        return new Initializer(NativeInitializerKind.HeNormal, gain);
    }

    /// <summary>
    /// Uniform on (-s, s), s = gain * sqrt(6 / inputs): with the variance of <see cref="HeNormal"/>.
    /// </summary>
    /// <param name="gain">More than 0; 1 by default.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gain"/> is not a positive number.</exception>
    public static Initializer HeUniform(double gain = 1)
    {
        RequireGain(gain);
        return new Initializer(NativeInitializerKind.HeUniform, gain);
    }

    /// <summary>Uniform on [-scale, scale).</summary>
    /// <param name="scale">More than 0.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="scale"/> is not a positive number.</exception>
    public static Initializer Uniform(double scale)
    {
        RequireFinite(scale, nameof(scale));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scale);
        return Uniform(-scale, scale);
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

    /// <summary>The values of a text file: numbers divided by white space.</summary>
    /// <param name="path">
    /// The file, which is read whenever a parameter is added. It has as many numbers as the parameter has elements,
    /// column-major; for a lookup table row after row.
    /// </param>
    /// <returns>The initializer.</returns>
    /// <remarks>
    /// Adding a parameter throws <see cref="FileNotFoundException"/>, <see cref="UnauthorizedAccessException"/> or <see
    /// cref="IOException"/> if the file cannot be read, <see cref="ModelFormatException"/> if it has anything but
    /// numbers in it, and <see cref="ShapeMismatchException"/> if they are more or fewer.
    /// </remarks>
    public static Initializer FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new Initializer(NativeInitializerKind.File, path: path);
    }

    private static void RequireGain(double gain)
    {
        RequireFinite(gain, nameof(gain));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(gain);
    }

    private static void RequireFinite(double value, string name)
    {
        if (!double.IsFinite(value))
            throw new ArgumentOutOfRangeException(name, value, "The number must be finite.");
    }
}
