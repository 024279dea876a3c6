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

    [GeneratedRegex("`(?<name>[A-Za-z.]+)`")]
    private static partial Regex Quoted();
}
