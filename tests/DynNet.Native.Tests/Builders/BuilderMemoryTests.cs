namespace DynNet.Native.Tests;

/// <summary>Builders whose constructors run out of memory, or fail late: the model is as it was.</summary>
[TestFixture]
[NonParallelizable]
public sealed class BuilderMemoryTests
{
    private const int Size = 48;

    private static readonly string s_folder =
        Path.Combine(Path.GetTempPath(), $"dynnet-tests-{Path.GetRandomFileName()}");

    private static readonly Dictionary<string, Func<Model, object>> s_builders = new()
    {
        ["simple"] = model => new SimpleRnnBuilder(model, 2, Size, Size, supportLags: true),
        ["gru"] = model => new GruBuilder(model, 2, Size, Size),
        ["vanilla"] = model => new VanillaLstmBuilder(model, 2, Size, Size),
        ["normalized"] = model => new VanillaLstmBuilder(model, 2, Size, Size, layerNorm: true),
        ["coupled gates"] = model => new VanillaLstmBuilder(model, 2, Size, Size, coupledGates: true),
        ["compact"] = model => new CompactVanillaLstmBuilder(model, 2, Size, Size),
        ["sparse"] = model => new SparseLstmBuilder(model, 2, Size, Size, layerNorm: true),
        ["coupled"] = model => new CoupledLstmBuilder(model, 2, Size, Size),
        ["fast"] = model => new FastLstmBuilder(model, 2, Size, Size),
        ["deep"] = model => new DeepLstmBuilder(model, 2, Size, Size),
        ["bidirectional"] = model => new BidirectionalBuilder(
            model, 2, Size, Size, (own, input, hidden) => new VanillaLstmBuilder(own, 1, input, hidden)),
        ["nary tree"] = model => new NaryTreeLstmBuilder(model, 2, 2, Size, Size),
        ["child sum tree"] = model => new ChildSumTreeLstmBuilder(model, 2, Size, Size),
        ["unidirectional tree"] = model => new UnidirectionalTreeLstmBuilder(model, 2, Size, Size),
        ["bidirectional tree"] = model => new BidirectionalTreeLstmBuilder(model, 2, Size, Size),
        ["standard softmax"] = model => new StandardSoftmaxBuilder(model, Size, 40 * Size),
        ["class factored softmax"] = model => new ClassFactoredSoftmaxBuilder(
            model, Size, In("classes"), new Dict()),
        ["hierarchical softmax"] = model => new HierarchicalSoftmaxBuilder(
            model, Size, In("paths"), new Dict()),
        ["attention"] = model => new MultiHeadAttentionBuilder(model, 2, Size),
    };

    private static IEnumerable<string> Kinds => s_builders.Keys;

    [OneTimeSetUp]
    public void WriteFiles()
    {
        Directory.CreateDirectory(s_folder);
        int[] words = [.. Enumerable.Range(0, 400)];
        File.WriteAllLines(In("classes"), words.Select(i => $"{i / 100} w{i}"));
        File.WriteAllLines(In("paths"), words.Select(i => $"{i / 100}\tw{i}"));
    }

    [OneTimeTearDown]
    public void DeleteFiles() => Directory.Delete(s_folder, recursive: true);

    [TearDown]
    public void RestoreLimit() => Memory.Limit = 0;

    [TestCaseSource(nameof(Kinds))]
    public void Short_of_memory_a_builder_leaves_the_model_as_it_was(string kind)
    {
        const long Step = 8192;
        using var fresh = new Model();
        using var model = new Model();
        foreach (Model each in (Model[])[fresh, model])
            each.AddParameters([2], name: "before");
        (s_builders[kind](fresh) as IDisposable)?.Dispose();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long used = Memory.Used;
        int failures = 0;
        for (long room = Step; !TryMake(room); room += Step)
        {
            failures++;
            using (Assert.EnterMultipleScope())
            {
                Assert.That(model.Parameters.Select(parameter => parameter.Name), Is.EqualTo(["/before"]));
                Assert.That(model.LookupParameters, Is.Empty);
                Assert.That(model.GetSubcollections(), Is.Empty);
                Assert.That(Memory.Used, Is.EqualTo(used));
            }
        }
        using (Assert.EnterMultipleScope())
        {
            Assert.That(failures, Is.GreaterThan(3), "it failed here and there");
            Assert.That(Names(model), Is.EqualTo(Names(fresh)));
            Assert.That(Values(model), Is.EqualTo(Values(fresh)));
            Assert.That(
                model.GetSubcollections().Select(each => each.Path),
                Is.EqualTo(fresh.GetSubcollections().Select(each => each.Path)));
        }

        bool TryMake(long room)
        {
            Memory.Limit = used + room;
            try
            {
                (s_builders[kind](model) as IDisposable)?.Dispose();
                return true;
            }
            catch (InsufficientMemoryException)
            {
                return false;
            }
            finally
            {
                Memory.Limit = 0;
            }
        }
    }

    private static string In(string name) => Path.Combine(s_folder, name);

    private static string[] Names(Model model) =>
    [
        .. model.Parameters.Select(parameter => parameter.ToString()),
        .. model.LookupParameters.Select(table => table.ToString()),
    ];

    private static float[] Values(Model model) =>
    [
        .. model.Parameters.SelectMany(parameter => parameter.Values.ToArray()),
        .. model.LookupParameters.SelectMany(table => table.Values.ToArray()),
    ];
}
