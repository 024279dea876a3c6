using System.Reflection;
using System.Runtime.InteropServices;

namespace DynNet.Native.Benchmarks;

/// <summary>
/// A plain vectorised loop and an expression of Eigen's for one operation, on the memory of our nodes, from the library
/// <c>op_references</c> (<c>tests/benchmarks/native/references.h</c>), which is there only where Eigen was when it was
/// built. It is no part of the product or of its C headers, so what calls it is written here, not generated.
/// </summary>
internal sealed class OpReferences : IDisposable
{
    private const string Library = "op_references";

    private readonly int _nodes;
    private readonly long[] _sizes;
    private readonly long _result;
    private readonly nint _run;
    private readonly List<(double? Forward, double? Backward)>[] _times = [[], []];

    /// <param name="op">The operation.</param>
    /// <param name="nodes">How many.</param>
    /// <param name="sizes">Of the operands.</param>
    /// <param name="result">The size of a result.</param>
    /// <param name="tensors">
    /// Where they lie: of each node its operands, their gradients, its result and its gradient; 0 for memory apart.
    /// </param>
    /// <exception cref="InvalidOperationException">It is of other sizes than ours, or there is none.</exception>
    public OpReferences(string op, int nodes, long[] sizes, long result, nint[] tensors)
    {
        (_nodes, _sizes, _result) = (nodes, sizes, result);
        _run = Make(op, nodes, sizes, sizes.Length, result, tensors);
        if (_run == 0)
        {
            throw new InvalidOperationException(
                $"{op}: there is no reference of operands [{string.Join(", ", sizes)}] and a result of {result}.");
        }
    }

    /// <summary>What can be compared with.</summary>
    public enum Side
    {
        Loop,
        Eigen,
    }

    public static Side[] Sides { get; } = Enum.GetValues<Side>();

    /// <summary>Whether there is anything to compare with.</summary>
    public static bool AreThere { get; } =
        NativeLibrary.TryLoad(Library, Assembly.GetExecutingAssembly(), null, out _);

    /// <summary>Whether the operation is in the table.</summary>
    public static bool Has(string op) => HasReference(op) != 0;

    public float[] Result(int node) => Read(ResultOf(_run, node), _result);

    public float[] Gradient(int node, int operand) => Read(GradientOf(_run, node, operand), _sizes[operand]);

    public void ClearGradients()
    {
        for (int node = 0; node < _nodes; node++)
        {
            for (int i = 0; i < _sizes.Length; i++)
                Marshal.Copy(new float[_sizes[i]], 0, GradientOf(_run, node, i), (int)_sizes[i]);
        }
    }

    /// <summary>Forward and backward of all nodes.</summary>
    public void Update(Side side)
    {
        int passes = RunSide(_run, (int)side, out double forward, out double backward);
        List<(double? Forward, double? Backward)> times = _times[(int)side];
        times.Add(((passes & 1) == 0 ? null : forward, (passes & 2) == 0 ? null : backward));
    }

    /// <summary>
    /// The nanoseconds that a forward and a backward took, as the median of the updates since it was last asked for; null
    /// for what the side lacks.
    /// </summary>
    public (double? Forward, double? Backward) Times(Side side)
    {
        (double? Forward, double? Backward)[] times = [.. _times[(int)side]];
        _times[(int)side].Clear();
        return (Median(t => t.Forward), Median(t => t.Backward));

        double? Median(Func<(double? Forward, double? Backward), double?> phase) => phase(times[0]) is null
            ? null
            : Statistics.Median([.. times.Select(t => phase(t)!.Value)]);
    }

    public void Dispose() => Free(_run);

    private static float[] Read(nint from, long count)
    {
        float[] values = new float[count];
        Marshal.Copy(from, values, 0, values.Length);
        return values;
    }

    [DllImport(Library, EntryPoint = "references_has")]
    private static extern int HasReference([MarshalAs(UnmanagedType.LPUTF8Str)] string op);

    [DllImport(Library, EntryPoint = "references_make")]
    private static extern nint Make(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string op, int nodes, long[] sizes, int operands, long result,
        nint[] tensors);

    [DllImport(Library, EntryPoint = "references_free")]
    private static extern void Free(nint run);

    [DllImport(Library, EntryPoint = "references_result")]
    private static extern nint ResultOf(nint run, int node);

    [DllImport(Library, EntryPoint = "references_gradient")]
    private static extern nint GradientOf(nint run, int node, int operand);

    [DllImport(Library, EntryPoint = "references_run")]
    private static extern int RunSide(nint run, int side, out double forward, out double backward);
}
