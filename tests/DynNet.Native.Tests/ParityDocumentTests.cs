using System.Reflection;
using System.Text.RegularExpressions;

namespace DynNet.Native.Tests;

/// <summary>What src/docs/dynet-parity.md says is here is here: types, and their public members.</summary>
[TestFixture]
public sealed partial class ParityDocumentTests
{
    private static readonly Dictionary<string, Type> Types =
        typeof(Expression).Assembly.GetExportedTypes().GroupBy(t => t.Name).ToDictionary(g => g.Key, g => g.First());

    private static string[] Names { get; } = ReadNames();

    [Test]
    public void The_document_names_something() => Assert.That(Names, Has.Length.GreaterThan(100));

    [TestCaseSource(nameof(Names))]
    public void Name_is_public(string name)
    {
        string[] parts = name.Split('.');
        Assert.That(Types, Contains.Key(parts[0]));
        if (parts.Length == 2)
        {
            const BindingFlags Public =
                BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.FlattenHierarchy;
            Assert.That(Types[parts[0]].GetMember(parts[1], Public), Is.Not.Empty, $"{parts[0]} has no {parts[1]}");
        }
    }

    [Test]
    public void What_is_made_of_several_operations_is_made_of_those()
    {
        using var model = new Model();
        using var graph = new ComputationGraph();
        Expression x = graph.Input([1, 2]), h = graph.Input([3, 4]), mask = graph.Input([0, 2]);
        Expression wx = graph.Parameter(model.AddParameters([8, 2]));
        Expression wh = graph.Parameter(model.AddParameters([8, 2]));
        Expression b = graph.Parameter(model.AddParameters([8]));
        Expression[] halves = [graph.Input([1]), graph.Input([2])];
        var calls = new Dictionary<string, Func<Expression>>
        {
            ["VanillaLstmGatesConcat"] = () => Ops.VanillaLstmGatesConcat(halves, h, wx, wh, b),
            ["VanillaLstmGatesDropout"] = () => Ops.VanillaLstmGatesDropout(x, h, wx, wh, b, mask, mask),
            ["VanillaLstmGatesDropoutConcat"] =
                () => Ops.VanillaLstmGatesDropoutConcat(halves, h, wx, wh, b, mask, mask),
        };
        Match[] rows =
        [
            .. File.ReadLines(Repository.Find("src/docs/dynet-parity.md")).Select(line => Composed().Match(line))
                .Where(match => match.Success),
        ];
        Assert.That(rows.Select(row => row.Groups["name"].Value), Is.EquivalentTo(calls.Keys));
        foreach (Match row in rows)
        {
            string name = row.Groups["name"].Value;
            graph.Checkpoint();
            _ = calls[name]().ToArray();
            Assert.That(
                Computed().Matches(graph.BatchingReport()).Select(match => match.Groups["op"].Value),
                Is.EquivalentTo(row.Groups["op"].Captures.Select(capture => capture.Value)), name);
            graph.Revert();
        }
    }

    /// <summary>The operations' C# names, and those in the second column of the other tables.</summary>
    private static string[] ReadNames()
    {
        string[] lines = File.ReadAllLines(Repository.Find("src/docs/dynet-parity.md"));
        IEnumerable<string> operations = lines.Select(line => Operation().Match(line)).Where(match => match.Success)
            .Select(match => match.Groups["name"].Value).Where(name => name != "C++ only")
            .Select(name => typeof(Ops).GetMember(name).Length > 0 ? $"Ops.{name}" : $"ComputationGraph.{name}");
        IEnumerable<string> others = lines.Where(line => line.Count(c => c == '|') == 3)
            .SelectMany(line => Quoted().Matches(line.Split('|')[2])).Select(match => match.Groups["name"].Value);
        return [.. operations.Concat(others).Distinct()];
    }

    [GeneratedRegex(@"^\|[^|]*\|[^|]*\| `(?<name>[^`]+)` \|.*\|.*\|.*\|.*\|$")]
    private static partial Regex Operation();

    [GeneratedRegex(@"^\|[^|]*\| (`dn_op_(?<op>\w+)`(, )?){2,} \| `(?<name>\w+)` \|")]
    private static partial Regex Composed();

    [GeneratedRegex(@"^(?<op>\w+)\(", RegexOptions.Multiline)]
    private static partial Regex Computed();

    [GeneratedRegex("`(?<name>[A-Za-z.]+)`")]
    private static partial Regex Quoted();
}
