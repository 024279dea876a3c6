using System.Text.Json;
using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>
/// Models as DyNet writes them, each twice: written here from known numbers, with values worked out in float64; and the
/// files that DyNet 2.1 itself wrote, with the values that it computed, where these are at hand (in the folder that
/// DYNNET_DATA names, else in ../shared/data beside the repository).
/// </summary>
[TestFixture]
public sealed class DyNetFileTests
{
    private const double Tolerance = 1e-5;

    [Test]
    public void Exclusive_or_from_text()
    {
        double[] w = Numbers(16, 1);
        double[] b = Numbers(8, 2);
        double[] v = Numbers(8, 3);
        double[] a = Numbers(1, 4);
        using Model model = Model.Load(
            new DyNetText().Parameter("/W", "{8,2}", w).Parameter("/b", "{8}", b).Parameter("/V", "{1,8}", v)
                .Parameter("/a", "{1}", a).AsStream());
        using var graph = new ComputationGraph();
        foreach ((float x1, float x2) in (ReadOnlySpan<(float, float)>)[(1, 1), (1, -1), (-1, 1), (-1, -1)])
        {
            double expected = a[0];
            for (int i = 0; i < 8; i++)
                expected += v[i] * Math.Tanh(w[i] * x1 + w[8 + i] * x2 + b[i]);
            Assert.That(Xor(model, graph, x1, x2).ScalarValue(), Is.EqualTo(expected).Within(Tolerance));
        }
    }

    [Test]
    public void Exclusive_or_from_dynet()
    {
        (string path, JsonElement expected) = DyNetFile("xor");
        using Model model = Model.Load(path);
        using var graph = new ComputationGraph();
        using (Assert.EnterMultipleScope())
        {
            foreach ((int x1, int x2) in (ReadOnlySpan<(int, int)>)[(1, 1), (1, -1), (-1, 1), (-1, -1)])
            {
                Assert.That(
                    Xor(model, graph, x1, x2).ToArray(),
                    Is.EqualTo(Floats(expected, $"f({x1},{x2})")).Within(Tolerance));
            }
        }
    }

    [Test]
    public void Lstm_from_text()
    {
        double[][] layers =
            [Numbers(120, 1), Numbers(100, 2), Numbers(20, 3), Numbers(100, 4), Numbers(100, 5), Numbers(20, 6)];
        double[] readout = Numbers(20, 7);
        double[] embeddings = Numbers(66, 8);
        var text = new DyNetText();
        string[] dims = ["{20,6}", "{20,5}", "{20}", "{20,5}", "{20,5}", "{20}"];
        for (int i = 0; i < 6; i++)
            text.Parameter($"/encoder/vanilla-lstm-builder/_{i}", dims[i], layers[i]);
        text.Parameter("/readout", "{4,5}", readout).Lookup("/encoder/embeddings", "{6,11}", embeddings);
        int[] ids = [3, 1, 4, 1, 5, 9, 2, 6, 10, 0];

        var reference = new LstmReference((layers[0], layers[1], layers[2]), (layers[3], layers[4], layers[5]));
        foreach (int id in ids)
            reference.Step(embeddings[(6 * id)..(6 * id + 6)]);
        double[] h = reference.Output;
        double[] scores =
            [.. Enumerable.Range(0, 4).Select(i => Enumerable.Range(0, 5).Sum(j => readout[4 * j + i] * h[j]))];
        double logSum = Math.Log(scores.Sum(Math.Exp));

        (float[] lastHidden, float[] logSoftmax) = RunLstm(model => model.Populate(text.AsStream()), ids);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(lastHidden, Is.EqualTo(h).Within(Tolerance));
            Assert.That(logSoftmax, Is.EqualTo(scores.Select(score => score - logSum)).Within(Tolerance));
        }
    }

    [Test]
    public void Lstm_from_dynet()
    {
        (string path, JsonElement expected) = DyNetFile("lstm");
        int[] ids = [.. expected.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
        (float[] lastHidden, float[] logSoftmax) = RunLstm(model => model.Populate(path), ids);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(lastHidden, Is.EqualTo(Floats(expected, "last_hidden")).Within(Tolerance));
            Assert.That(logSoftmax, Is.EqualTo(Floats(expected, "log_softmax")).Within(Tolerance));
        }
    }

    [Test]
    public void Lstm_from_dynet_by_subcollection()
    {
        (string path, JsonElement expected) = DyNetFile("lstm");
        using var model = new Model();
        using var lstm = new VanillaLstmBuilder(model, 2, 6, 5);
        LookupParameter embeddings = model.AddLookupParameters(11, [6], name: "embeddings");
        model.Populate(path, key: "/encoder/");
        using var graph = new ComputationGraph();
        IEnumerable<Expression> xs =
            expected.GetProperty("ids").EnumerateArray().Select(id => graph.Lookup(embeddings, id.GetInt32()));
        float[] lastHidden = lstm.InitialState(graph).Transduce(xs)[^1].ToArray();
        Assert.That(lastHidden, Is.EqualTo(Floats(expected, "last_hidden")).Within(Tolerance));
    }

    [Test]
    public void Gru_with_gradients_from_text()
    {
        string[] dims = ["{3,4}", "{3,3}", "{3}", "{3,4}", "{3,3}", "{3}", "{3,4}", "{3,3}", "{3}"];
        int[] sizes = [12, 9, 3, 12, 9, 3, 12, 9, 3];
        var text = new DyNetText();
        for (int i = 0; i < 9; i++)
            text.Parameter($"/gru-builder/_{i}", dims[i], Numbers(sizes[i], i), Numbers(sizes[i], 20 + i));
        text.Parameter("/W", "{2,3}", Numbers(6, 10), Numbers(6, 30)).Parameter("/cube", "{3,2,2}", Numbers(12, 11))
            .Lookup("/E", "{4,7}", Numbers(28, 12), Numbers(28, 32));

        using Model model = Model.Load(text.AsStream());
        using (Assert.EnterMultipleScope())
        {
            Assert.That(model["/cube"].Dim, Is.EqualTo(Dim.Of(3, 2, 2)));
            Assert.That(model["/cube"].Gradient.ToArray(), Is.All.Zero);
            Assert.That(model["/W"].Gradient.ToArray(), Is.EqualTo(Numbers(6, 30)).Within(Tolerance));
            Assert.That(model["/gru-builder/_1"].Gradient.ToArray(), Is.EqualTo(Numbers(9, 21)).Within(Tolerance));
            Assert.That(
                model.GetLookupParameter("/E").RowGradient(6), Is.EqualTo(Numbers(28, 32)[24..]).Within(Tolerance));
        }

        model.ResetGradients();
        int[] ids = [1, 2, 2, 6];
        using var graph = new ComputationGraph();
        Expression loss = PickNegLogSoftmax(model["/W"] * Gru(model, graph, ids), 1);
        loss.Backward();
        AssertGradient(model, ids, model["/W"]);
        AssertGradient(model, ids, model["/gru-builder/_7"]);
        AssertGradient(model, ids, model["/gru-builder/_4"]);
    }

    [Test]
    public void Gru_with_gradients_from_dynet()
    {
        (string path, JsonElement expected) = DyNetFile("gru_with_gradients");
        using Model model = Model.Load(path);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(model.Parameters, Has.Count.EqualTo(11));
            Assert.That(model["/W"].Gradient.ToArray(), Is.EqualTo(Floats(expected, "grad_W")).Within(Tolerance));
            Assert.That(model.GetLookupParameter("/E").RowGradient(0), Is.All.Zero);
        }

        // What DyNet's backward left in the file, this library's must find again.
        var saved = model.Parameters
            .ToDictionary(parameter => parameter.Name, parameter => parameter.Gradient.ToArray());
        LookupParameter table = model.GetLookupParameter("/E");
        float[][] savedRows = [.. Enumerable.Range(0, 7).Select(table.RowGradient)];
        model.ResetGradients();
        int[] ids = [.. expected.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
        int label = expected.GetProperty("label")[0].GetInt32();
        using var graph = new ComputationGraph();
        Expression loss = PickNegLogSoftmax(model["/W"] * Gru(model, graph, ids), label);
        loss.Backward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(loss.ToArray(), Is.EqualTo(Floats(expected, "loss")).Within(Tolerance));
            foreach (Parameter parameter in model.Parameters)
            {
                Assert.That(
                    parameter.Gradient.ToArray(), Is.EqualTo(saved[parameter.Name]).Within(Tolerance), parameter.Name);
            }
            for (int row = 0; row < 7; row++)
                Assert.That(table.RowGradient(row), Is.EqualTo(savedRows[row]).Within(Tolerance));
        }
    }

    [TestCase("xor")]
    [TestCase("lstm")]
    [TestCase("gru_with_gradients")]
    public void Files_of_dynet_saved_again_are_the_same_bytes(string name)
    {
        (string path, _) = DyNetFile(name);
        using Model model = Model.Load(path);
        using var stream = new MemoryStream();
        model.Save(stream, withGradients: true);
        Assert.That(stream.ToArray(), Is.EqualTo(File.ReadAllBytes(path)));
    }

    private static Expression Xor(Model model, ComputationGraph graph, float x1, float x2) =>
        model["/V"] * Tanh(model["/W"] * graph.Input([x1, x2]) + model["/b"]) + model["/a"];

    private static (float[] LastHidden, float[] LogSoftmax) RunLstm(Action<Model> populate, int[] ids)
    {
        using var model = new Model();
        using Model encoder = model.AddSubcollection("encoder");
        LookupParameter embeddings = encoder.AddLookupParameters(11, [6], name: "embeddings");
        using var lstm = new VanillaLstmBuilder(encoder, 2, 6, 5);
        Parameter readout = model.AddParameters([4, 5], name: "readout");
        populate(model);
        using var graph = new ComputationGraph();
        LstmState state = lstm.InitialState(graph);
        foreach (int id in ids)
            state = state.AddInput(graph.Lookup(embeddings, id));
        return (state.Output.ToArray(), LogSoftmax(readout * state.Output).ToArray());
    }

    /// <summary>DyNet's GRU: z and r are logistic, the candidate is mixed in by z.</summary>
    private static Expression Gru(Model model, ComputationGraph graph, int[] ids)
    {
        Parameter P(int i) => model[$"/gru-builder/_{i}"];

        LookupParameter table = model.GetLookupParameter("/E");
        Expression h = graph.Constant([3], 0);
        foreach (int id in ids)
        {
            Expression x = graph.Lookup(table, id);
            Expression z = Logistic(AffineTransform(P(2), P(0), x, P(1), h));
            Expression r = Logistic(AffineTransform(P(5), P(3), x, P(4), h));
            Expression candidate = Tanh(AffineTransform(P(8), P(6), x, P(7), CMult(r, h)));
            h = CMult(z, candidate) + CMult(1 - z, h);
        }
        return h;
    }

    /// <summary>Compares a gradient with differences of the loss.</summary>
    private static void AssertGradient(Model model, int[] ids, Parameter parameter)
    {
        const float Step = 1e-2f;
        float[] gradient = parameter.Gradient.ToArray();
        float[] values = parameter.Values.ToArray();
        for (int i = 0; i < values.Length; i++)
        {
            double difference = LossWith(values[i] + Step) - LossWith(values[i] - Step);
            parameter.SetValues(values);
            Assert.That(gradient[i], Is.EqualTo(difference / (2 * Step)).Within(1e-3), $"{parameter} at {i}");

            double LossWith(float value)
            {
                float[] changed = [.. values];
                changed[i] = value;
                parameter.SetValues(changed);
                using var graph = new ComputationGraph();
                return PickNegLogSoftmax(model["/W"] * Gru(model, graph, ids), 1).ScalarValue();
            }
        }
    }

    /// <summary>Numbers between -1 and 1 that look random and are the same everywhere.</summary>
    private static double[] Numbers(int count, int which) =>
        [.. Enumerable.Range(1, count).Select(i => (double)(float)Math.Sin(12.9898 * i + 78.233 * (which + 1)))];

    private static float[] Floats(JsonElement expected, string name) =>
        [.. expected.GetProperty(name).EnumerateArray().Select(value => value.GetSingle())];

    private static (string Path, JsonElement Expected) DyNetFile(string name)
    {
        string folder = Path.Combine(DataFolder(), "dynet-models");
        string path = Path.Combine(folder, $"{name}.model");
        if (!File.Exists(path))
            Assert.Ignore($"SKIPPED: there is no {path}; set DYNNET_DATA to a folder with dynet-models.");
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, $"{name}.expected.json")));
        return (path, json.RootElement.Clone());
    }

    private static string DataFolder()
    {
        if (Environment.GetEnvironmentVariable("DYNNET_DATA") is { Length: > 0 } folder)
            return folder;
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "global.json")))
            root = Path.GetDirectoryName(root);
        return Path.GetFullPath(Path.Combine(root ?? ".", "..", "shared", "data"));
    }
}
