namespace DynNet.Native;

/// <summary>
/// Where the time of a graph went, from when <see cref="ComputationGraph.Profiling"/> was set until
/// <see cref="ComputationGraph.Profile"/> was called.
/// </summary>
public sealed class GraphProfile
{
    internal GraphProfile(string text, string trace) => (Text, Trace) = (text, trace);

    /// <summary>
    /// A table for a person: for each operation and shapes, forward and backward, how many batches and nodes, and how
    /// long they took in milliseconds; how long it took to plan, to sum the gradients of parameters, and to wait for other
    /// threads.
    /// </summary>
    public string Text { get; }

    /// <summary>
    /// Each of the first million batches with its time and size, as a JSON object in Chromium's trace event format. Thread
    /// 0 is the one that computes the graph, the others are parts that threads computed side by side.
    /// </summary>
    public string Trace { get; }

    /// <summary>Writes <see cref="Trace"/> to a file, which chrome://tracing and ui.perfetto.dev show.</summary>
    /// <param name="path">The file, by custom with the ending .json. One that is there is replaced.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public void SaveTrace(string path) => File.WriteAllText(path, Trace);

    /// <summary>The same as <see cref="Text"/>.</summary>
    /// <returns>Several lines.</returns>
    public override string ToString() => Text;
}
