using System.Globalization;
using System.Text;

namespace DynNet.Native.Benchmarks;

/// <summary>The line that a benchmark prints.</summary>
internal static class Report
{
    /// <summary>A JSON object: what was run, the figure, and further figures after it.</summary>
    public static string Line(
        Options options, double value, string unit, params ReadOnlySpan<(string Name, double Value)> more)
    {
        // All names and words are our own, so that there is nothing to escape.
        var line = new StringBuilder("{");
        Text("task", options.Task);
        if (options.Network != options.Task)
            Text("of", options.Network);
        Text("style", $"{options.Style}".ToLowerInvariant());
        Text("mode", $"{options.Mode}".ToLowerInvariant());
        if (options.Network == "lm")
            Text("minibatch", $"{options.Minibatch}".ToLowerInvariant());
        Text("data", options.DataFile is null ? "made-up" : "file");
        Number("batch", options.Batch);
        Number("threads", options.Threads);
        if (options.Busy > 0)
            Number("busy", options.Busy);
        Number("value", value);
        Text("unit", unit);
        foreach ((string name, double number) in more)
            Number(name, number);
        return line.Append('}').ToString();

        void Text(string name, string text) => Field(name).Append(CultureInfo.InvariantCulture, $"\"{text}\"");

        // Four digits or more, without an exponent.
        void Number(string name, double number) =>
            Field(name).Append(number.ToString(Math.Abs(number) < 100 ? "0.###" : "0.#", CultureInfo.InvariantCulture));

        StringBuilder Field(string name) =>
            line.Append(line.Length > 1 ? ", " : "").Append(CultureInfo.InvariantCulture, $"\"{name}\": ");
    }
}
