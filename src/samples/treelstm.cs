// Learns to label the nodes of trees by a TreeLSTM, in which a node's state is computed from those of its children: the
// graph has the shape of the tree, and every tree has another.
//
//     dotnet run -c Release treelstm.cs                         arithmetic: [MAX 3 [SM 8 9 1] 0], made by the program
//     dotnet run -c Release treelstm.cs -- train.txt dev.txt    sentiment: (3 (2 It) (4 (2 's) (4 lovely)))
#:project ../DynNet.Native

using System.Diagnostics;
using System.Globalization;
using DynNet.Native;
using static DynNet.Native.Ops;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    var random = new Random(Seed: 1);
    (Tree[] training, Tree[] heldOut) = args switch
    {
        [] => (Arithmetic.Some(20_000, random), Arithmetic.Some(1_000, random)),
        [string first, string second] => (Treebank.Read(first), Treebank.Read(second)),
        _ => throw new FormatException("usage: treelstm [TREES HELD-OUT-TREES]"),
    };
    Learn(training, heldOut, random);
    return 0;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or DynNetException
    or InsufficientMemoryException)
{
    Console.Error.WriteLine(e.Message);
    return e is FormatException ? 2 : 1;
}

static void Learn(Tree[] training, Tree[] heldOut, Random random)
{
    const int Rounds = 5, Update = 20;
    const double LearningRate = 0.003;
    using var model = new Model(seed: 1);
    var network = new TreeLstm(model, training);
    using var trainer = new AdamTrainer(model);
    using var graph = new ComputationGraph();
    Console.WriteLine($"{training.Length:n0} trees to learn from, {heldOut.Length:n0} held out");

    int done = 0;
    for (int round = 1; round <= Rounds; round++)
    {
        var clock = Stopwatch.StartNew();
        double total = 0;
        random.Shuffle(training);
        foreach (Tree[] batch in training.Chunk(Update))
        {
            // All trees of an update are one graph: what can be is computed together, whichever trees it is of.
            graph.Renew();
            Expression loss = Average(batch.Select(tree => network.Loss(graph, tree)));
            total += loss.ScalarValue() * batch.Length;
            loss.Backward();
            trainer.LearningRate = LearningRate * (1 - ((double)done / (Rounds * training.Length)));
            trainer.Update();
            done += batch.Length;
        }
        double speed = training.Length / clock.Elapsed.TotalSeconds;

        int nodes = 0, rightNodes = 0, rightRoots = 0;
        foreach (Tree[] some in heldOut.Chunk(100))
        {
            graph.Renew();
            foreach ((Tree tree, int[] answers) in some.Zip(network.Labels(graph, some)))
            {
                nodes += answers.Length;
                rightNodes += tree.Nodes.Zip(answers).Count(node => node.First.Label == node.Second);
                rightRoots += tree.Label == answers[^1] ? 1 : 0;
            }
        }
        double nodesRight = 100.0 * rightNodes / nodes, rootsRight = 100.0 * rightRoots / heldOut.Length;
        Console.WriteLine($"round {round}: loss {total / training.Length:f3} a tree, {speed:n0} trees/s; "
            + $"held out, right are {nodesRight:f1} % of the nodes, {rootsRight:f1} % of the roots");
    }

    Console.WriteLine("Trees that it never saw, and what it makes of them:");
    graph.Renew();
    foreach ((Tree tree, int[] answers) in heldOut.Take(5).Zip(network.Labels(graph, [.. heldOut.Take(5)])))
        Console.WriteLine($"  {tree} = {answers[^1]}{(tree.Label == answers[^1] ? "" : $" (it is {tree.Label})")}");
}

/// <summary>A tree. A leaf has a word; other nodes may have one, such as an operator.</summary>
internal record Tree(int Label, string Word, Tree[] Children)
{
    /// <summary>All nodes, children before their parents.</summary>
    public IEnumerable<Tree> Nodes => Children.SelectMany(child => child.Nodes).Append(this);

    public override string ToString() => (Word, Children) switch
    {
        (_, []) => Word,
        ("", _) => string.Join(' ', (object[])Children),
        _ => $"[{Word} {string.Join(' ', (object[])Children)}]",
    };
}

/// <summary>The network: child by child what Tai, Socher and Manning (2015) have, and a label for each node.</summary>
internal sealed class TreeLstm
{
    private const int WordSize = 64, Hidden = 64;

    private readonly Dictionary<string, int> _words;
    private readonly LookupParameter _embeddings;
    private readonly Parameter _word, _wordToForget, _bias, _forgetBias, _labels;

    // For the first child, and for each of the others.
    private readonly Parameter[] _child, _forget;

    public TreeLstm(Model model, Tree[] training)
    {
        // Words seen once say nothing about those not seen at all, so all these are one, with the number 0.
        _words = training.SelectMany(tree => tree.Nodes).CountBy(node => node.Word).Where(word => word.Value > 1)
            .Select((word, index) => (word.Key, index + 1)).ToDictionary();
        int labels = training.SelectMany(tree => tree.Nodes).Max(node => node.Label) + 1;
        _embeddings = model.AddLookupParameters(_words.Count + 1, [WordSize]);
        _word = model.AddParameters([3 * Hidden, WordSize]);
        _wordToForget = model.AddParameters([Hidden, WordSize]);
        _child = [model.AddParameters([3 * Hidden, Hidden]), model.AddParameters([3 * Hidden, Hidden])];
        _forget = [model.AddParameters([Hidden, Hidden]), model.AddParameters([Hidden, Hidden])];
        _bias = model.AddParameters([3 * Hidden], Initializer.Constant(0));
        // Remembering is the better guess to begin with.
        _forgetBias = model.AddParameters([Hidden], Initializer.Constant(1));
        _labels = model.AddParameters([labels, Hidden]);
    }

    /// <summary>The negative log likelihood of the labels of all nodes.</summary>
    public Expression Loss(ComputationGraph graph, Tree tree)
    {
        var states = new List<Expression>();
        Encode(graph, tree, states);
        return Sum(tree.Nodes.Zip(states, (node, h) => PickNegLogSoftmax(_labels * h, node.Label)));
    }

    /// <summary>The likeliest label of each node, for several trees.</summary>
    public int[][] Labels(ComputationGraph graph, Tree[] trees)
    {
        // First all is recorded; the first value that is read then computes all of it.
        Expression[] scores = Array.ConvertAll(trees, tree =>
        {
            var states = new List<Expression>();
            Encode(graph, tree, states);
            return _labels * ConcatenateCols(states);
        });
        return [.. scores.Reverse().Select(Likeliest).Reverse()];

        static int[] Likeliest(Expression columns) =>
            [.. columns.ToArray().Chunk(columns.Dim.Rows).Select(column => Array.IndexOf(column, column.Max()))];
    }

    // Records a tree, and adds the state of each node to a list, children before their parents.
    private (Expression H, Expression C) Encode(ComputationGraph graph, Tree tree, List<Expression> states)
    {
        (Expression H, Expression C)[] children =
            Array.ConvertAll(tree.Children, child => Encode(graph, child, states));

        // The inputs of the gates: b + W x + the sum of U h over the children, for input, output and update at once.
        List<Expression> gates = [graph.Parameter(_bias)];
        List<Expression> forget = [graph.Parameter(_forgetBias)];
        if (tree.Word != "")
        {
            Expression x = graph.Lookup(_embeddings, _words.GetValueOrDefault(tree.Word));
            gates.AddRange(_word, x);
            forget.AddRange(_wordToForget, x);
        }
        for (int i = 0; i < children.Length; i++)
            gates.AddRange(_child[Math.Min(i, 1)], children[i].H);
        Expression iou = AffineTransform(gates);

        // Each child has a gate of its own, which decides how much of the child's memory is kept.
        List<Expression> memories = [iou];
        for (int i = 0; i < children.Length; i++)
            memories.AddRange(AffineTransform([.. forget, _forget[Math.Min(i, 1)], children[i].H]), children[i].C);
        Expression c = TreeLstmC(memories);
        Expression h = TreeLstmH(iou, c);
        states.Add(h);
        return (h, c);
    }
}

/// <summary>Trees made at random: operators on digits, and what comes out (ListOps: Nangia and Bowman 2018).</summary>
internal static class Arithmetic
{
    public static Tree[] Some(int count, Random random) =>
        [.. Enumerable.Range(0, count).Select(_ => Operation(random, depth: 1))];

    private static Tree Operation(Random random, int depth)
    {
        Tree[] arguments = [.. Enumerable.Range(0, random.Next(2, 6)).Select(_ =>
            depth < 4 && random.Next(4) == 0 ? Operation(random, depth + 1) : Digit(random.Next(10)))];
        int[] values = [.. arguments.Select(argument => argument.Label).Order()];
        return random.Next(4) switch
        {
            0 => new Tree(values[0], "MIN", arguments),
            1 => new Tree(values[^1], "MAX", arguments),
            2 => new Tree((values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2, "MED", arguments),
            _ => new Tree(values.Sum() % 10, "SM", arguments),
        };
    }

    private static Tree Digit(int digit) => new(digit, $"{digit}", []);
}

/// <summary>Files with a tree on each line: (label word), or (label tree tree ...).</summary>
internal static class Treebank
{
    public static Tree[] Read(string file)
    {
        var trees = new List<Tree>();
        foreach ((int index, string line) in File.ReadLines(file).Index())
        {
            int at = 0;
            if (Parse(line, ref at) is not { } tree || at < line.Length)
                throw new IOException($"{file}, line {index + 1}, character {at + 1}: this is no tree.");
            trees.Add(tree);
        }
        return trees.Count > 0 ? [.. trees] : throw new IOException($"{file} has no trees.");
    }

    // Null where there is no tree.
    private static Tree? Parse(string line, ref int at)
    {
        int space = line.IndexOf(' ', at), end = line.IndexOf(')', at);
        if (line.ElementAtOrDefault(at) != '(' || space < 0 || end < space
            || !ushort.TryParse(line.AsSpan(at + 1, space - at - 1), out ushort label))
        {
            return null;
        }
        at = space + 1;
        string word = line[at] == '(' ? "" : line[at..end];
        at += word.Length;
        var children = new List<Tree>();
        while (line.ElementAtOrDefault(at) == '(' && Parse(line, ref at) is { } child)
        {
            children.Add(child);
            if (line.ElementAtOrDefault(at) == ' ')
                at++;
        }
        if (line.ElementAtOrDefault(at) != ')' || (word == "" && children.Count == 0))
            return null;
        at++;
        return new Tree(label, word, [.. children]);
    }
}
