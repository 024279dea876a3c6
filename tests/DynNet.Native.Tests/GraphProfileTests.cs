using System.Text.Json;
using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>A graph's profile, as text and as a trace.</summary>
[TestFixture]
public sealed class GraphProfileTests
{
    private Model _model = null!;
    private ComputationGraph _graph = null!;
    private Parameter _weights = null!;

    [SetUp]
    public void MakeGraph()
    {
        _model = new Model();
        _graph = new ComputationGraph();
        _weights = _model.AddParameters([3, 2]);
    }

    [TearDown]
    public void DisposeGraph()
    {
        _graph.Dispose();
        _model.Dispose();
    }

    [Test]
    public void The_text_names_operations_and_shapes()
    {
        _graph.Profiling = true;
        Learn(examples: 4);
        string text = _graph.Profile().ToString();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_graph.Profiling, Is.True);
            Assert.That(text, Does.Contain("forward multiply {3,2}, {2}"));
            Assert.That(text, Does.Contain("backward tanh {3}"));
            Assert.That(text, Does.Contain("parameters parameter"));
            Assert.That(text, Does.Match(@"\n +[0-9.]+ +[0-9.]+% +1 +4 +4  forward tanh \{3\}\n"));
        }
    }

    [Test]
    public void The_trace_is_json_with_an_event_for_each_batch()
    {
        _graph.Profiling = true;
        Learn(examples: 4);
        string file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{Guid.NewGuid()}.json");
        try
        {
            GraphProfile profile = _graph.Profile();
            profile.SaveTrace(file);
            Assert.That(File.ReadAllText(file), Is.EqualTo(profile.Trace));
            using JsonDocument trace = JsonDocument.Parse(profile.Trace);
            JsonElement[] events = [.. trace.RootElement.GetProperty("traceEvents").EnumerateArray()];
            JsonElement tanh = events.Single(e =>
                e.GetProperty("name").GetString() == "tanh {3}" && e.GetProperty("cat").GetString() == "forward");
            using (Assert.EnterMultipleScope())
            {
                Assert.That(tanh.GetProperty("args").GetProperty("nodes").GetInt32(), Is.EqualTo(4));
                Assert.That(tanh.GetProperty("ph").GetString(), Is.EqualTo("X"));
                Assert.That(events.Select(e => e.GetProperty("dur").GetDouble()), Has.All.GreaterThanOrEqualTo(0));
                Assert.That(events.Select(e => e.GetProperty("ts").GetDouble()), Has.All.GreaterThanOrEqualTo(0));
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public void Values_and_gradients_are_the_same_bits_with_a_profile()
    {
        float[] before = Learn(examples: 5);
        _model.ResetGradients();
        _graph.Profiling = true;
        Assert.That(Learn(examples: 5), Is.EqualTo(before));
    }

    [Test]
    public void Without_profiling_there_is_none()
    {
        Assert.Throws<InvalidOperationException>(() => _graph.Profile());
        _graph.Profiling = true;
        _graph.Profile();
        _graph.Profiling = false;
        Assert.Throws<InvalidOperationException>(() => _graph.Profile());
    }

    [Test]
    public void A_disposed_graph_has_none()
    {
        _graph.Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.Throws<ObjectDisposedException>(() => _graph.Profiling = true);
            Assert.Throws<ObjectDisposedException>(() => _graph.Profile());
        }
    }

    private float[] Learn(int examples)
    {
        _graph.Renew();
        Expression loss = Sum(Enumerable.Range(0, examples).Select(i => SumElems(Tanh(_weights * _graph.Input([i, 1])))));
        loss.Backward();
        return [loss.ScalarValue(), .. _weights.Gradient];
    }
}
