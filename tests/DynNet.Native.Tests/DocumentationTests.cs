using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace DynNet.Native.Tests;

/// <summary>The documentation that comes with the library: what it has to say, and how.</summary>
[TestFixture]
public sealed partial class DocumentationTests
{
    private static readonly Dictionary<string, XElement> Members = XDocument
        .Load(Path.Combine(AppContext.BaseDirectory, "DynNet.Native.xml"))
        .Descendants("member").ToDictionary(member => member.Attribute("name")!.Value);

    private static readonly HashSet<string> PublicNames =
    [
        .. typeof(Ops).GetMethods().Concat(typeof(ComputationGraph).GetMethods())
            .Where(method => method.ReturnType == typeof(Expression)).Select(method => method.Name),
    ];

    /// <summary>The operations, as the tables of tests name them.</summary>
    private static readonly Dictionary<string, XElement> Operations = Members
        .Where(member => PublicNames.Contains(OperationName().Match(member.Key).Groups[1].Value))
        .ToDictionary(member => InTables(member.Key), member => member.Value);

    private static IEnumerable<OpMisuse> Wrong => OpCases.Wrong;

    [TestCaseSource(nameof(Wrong))]
    public void What_an_operation_throws_is_documented(object row)
    {
        var op = (OpMisuse)row;
        using var graph = new ComputationGraph();
        Exception thrown = Assert.Catch(() => op.Call(graph))!;
        IEnumerable<string> when = Operations[op.Method].Elements("exception")
            .Where(exception => exception.Attribute("cref")!.Value.Split('.')[^1] == thrown.GetType().Name)
            .Select(exception => exception.Value.Trim());
        // That no operand names a graph is said of all of them, and is no reason here.
        Assert.That(
            when, Has.Some.Not.Matches("^(No operand names a graph|The operand is a parameter)"),
            $"{op.Method} throws {thrown.GetType().Name}: {thrown.Message}");
    }

    [Test]
    public void What_all_operations_throw_is_documented()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string name, XElement member) in Operations.Where(one => !one.Value.Elements("inheritdoc").Any()))
            {
                string[] exceptions =
                    [.. member.Elements("exception").Select(e => e.Attribute("cref")!.Value.Split('.')[^1])];
                Assert.That(exceptions, Does.Contain(nameof(ObjectDisposedException)), name);
                if (name.Contains("xpression"))
                {
                    Assert.That(exceptions, Does.Contain(nameof(StaleExpressionException)), name);
                    Assert.That(exceptions, Does.Contain(nameof(ArgumentException)), name);
                }
            }
        }
    }

    [Test]
    public void A_model_that_may_be_disposed_is_named_where_a_parameter_may_be_an_operand()
    {
        XElement[] ofTwo =
        [
            .. Members.Where(member => OperatorOfTwo().IsMatch(member.Key)).Select(member => member.Value),
            Operations["Add(Expression,Expression)"],
        ];
        Assert.That(ofTwo, Has.Length.EqualTo(5));
        string disposed = $"T:{typeof(ObjectDisposedException)}";
        Assert.That(
            ofTwo.Select(member =>
                member.Elements("exception").Single(e => e.Attribute("cref")!.Value == disposed).Value),
            Has.All.Contains("model"));
    }

    [Test]
    public void Operators_say_what_they_throw()
    {
        XElement[] operators =
            [.. Members.Where(member => Operator().IsMatch(member.Key)).Select(member => member.Value)];
        Assert.That(operators, Has.Length.EqualTo(13));
        Assert.That(
            operators.Select(member => member.Elements("exception").Select(e => e.Attribute("cref")!.Value)),
            Has.All.Contains($"T:{typeof(ArgumentException)}").And.All.Contains($"T:{typeof(StaleExpressionException)}")
                .And.All.Contains($"T:{typeof(ObjectDisposedException)}"));
    }

    [Test]
    public void A_shape_fits_where_there_is_nothing_that_it_has_to_fit()
    {
        string[] single = ["Constant(Dim,double)", "Zeros(Dim)", "Ones(Dim)", "RandomNormal(Dim,double,double)"];
        Assert.That(
            single.SelectMany(name => Operations[name].Elements("exception")).Select(e => e.Attribute("cref")!.Value),
            Has.None.Contains(nameof(ShapeMismatchException)));
    }

    [Test]
    public void Truth_values_are_those_of_the_language()
    {
        XElement[] flags =
        [
            .. Operations.Where(operation => operation.Key.Contains("bool"))
                .SelectMany(operation => operation.Value.Elements("param"))
                .Where(parameter => parameter.Attribute("name")!.Value is "batch" or "isValid" or "causal"),
        ];
        Assert.That(flags, Has.Length.EqualTo(13));
        Assert.That(
            flags.Select(flag => flag.Elements("see").Single().Attribute("langword")!.Value),
            Has.All.EqualTo("true").Or.EqualTo("false"));
    }

    [Test]
    public void Operations_speak_of_names_of_the_language_only()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string name, XElement member) in Operations)
            {
                Assert.That(member.Descendants("c").Where(code => code.Elements("c").Any()), Is.Empty, name);
                Assert.That(NativeName().Matches(member.Value).Select(match => match.Value), Is.Empty, name);
            }
        }
    }

    /// <summary>The name of an operation as the tables of tests have it, from that in the documentation.</summary>
    private static string InTables(string name)
    {
        string operation = OperationName().Match(name).Groups[1].Value;
        IEnumerable<string> types = Type().Matches(name[name.IndexOf('(')..]).Select(match => match.Value switch
        {
            "DynNet.Native.Expression" => "Expression",
            "System.ReadOnlySpan{DynNet.Native.Expression}" => "expressions",
            "System.ReadOnlySpan{System.Int32}" => "ints",
            "System.ReadOnlySpan{System.Single}" => "floats",
            "System.Int32" => "int",
            "System.Boolean" => "bool",
            "System.Double" => "double",
            "System.String" => "string",
            string other => other.Split('.', 3)[^1],
        });
        return $"{operation}({string.Join(",", types)})";
    }

    [GeneratedRegex(@"^M:DynNet\.Native\.(?:Ops|ComputationGraph)\.(\w+)\(")]
    private static partial Regex OperationName();

    [GeneratedRegex(@"^M:DynNet\.Native\.Expression\.op_(Add|Sub|Mul|Div|Unary)")]
    private static partial Regex Operator();

    [GeneratedRegex(@"^M:DynNet\.Native\.Expression\.op_(Add|Sub|Mul|Div)\w+\((DynNet\.Native\.Expression,?){2}\)")]
    private static partial Regex OperatorOfTwo();

    [GeneratedRegex(@"[\w.]+(?:\{[\w.]+\})?")]
    private static partial Regex Type();

    [GeneratedRegex(@"\b[a-z]{2,}_[a-z]{3,}\w*|\b(dn|DN)_\w+")]
    private static partial Regex NativeName();
}
