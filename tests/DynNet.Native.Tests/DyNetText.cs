using System.Globalization;
using System.Text;

namespace DynNet.Native.Tests;

/// <summary>DyNet's text format, written from its description apart from the library.</summary>
internal sealed class DyNetText
{
    private readonly StringBuilder _text = new();

    public override string ToString() => _text.ToString();

    internal DyNetText Parameter(string name, string dim, double[] values, double[]? gradient = null) =>
        Add("#Parameter#", name, dim, values, gradient);

    internal DyNetText Lookup(string name, string dim, double[] values, double[]? gradient = null) =>
        Add("#LookupParameter#", name, dim, values, gradient);

    internal MemoryStream AsStream() => new(Encoding.UTF8.GetBytes(ToString()));

    private DyNetText Add(string kind, string name, string dim, double[] values, double[]? gradient)
    {
        string lines = Line(values) + (gradient is null ? "" : Line(gradient));
        _text.Append(CultureInfo.InvariantCulture,
            $"{kind} {name} {dim} {lines.Length} {(gradient is null ? "ZERO_GRAD" : "FULL_GRAD")}\n{lines}");
        return this;
    }

    private static string Line(double[] values) =>
        string.Concat(values.Select(value => Number((float)value) + " ")) + "\n";

    /// <summary>As by <c>%+.8e</c>.</summary>
    private static string Number(float value) =>
        ((double)value).ToString("+0.00000000e+00;-0.00000000e+00", CultureInfo.InvariantCulture);
}
