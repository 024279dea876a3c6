namespace DynNet.Native.Interop;

/// <summary>Calls about trainers. The caller keeps what it passes alive.</summary>
internal static unsafe class TrainerCalls
{
    internal static TrainerHandle CreateSimpleSgd(nint model, double learningRate)
    {
        nint trainer;
        Status.Check(NativeMethods.dn_trainer_create_simple_sgd(model, learningRate, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static TrainerHandle CreateMomentumSgd(nint model, double learningRate, double momentum)
    {
        nint trainer;
        Status.Check(NativeMethods.dn_trainer_create_momentum_sgd(model, learningRate, momentum, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static TrainerHandle CreateAdam(
        nint model, double learningRate, double beta1, double beta2, double epsilon)
    {
        nint trainer;
        Status.Check(NativeMethods.dn_trainer_create_adam(model, learningRate, beta1, beta2, epsilon, &trainer));
        return new TrainerHandle(trainer);
    }

    internal static void UpdateFrom(nint trainer, ReadOnlySpan<nint> sets)
    {
        fixed (nint* first = sets)
            Status.Check(NativeMethods.dn_trainer_update_from(trainer, first, sets.Length));
    }

    internal static double LearningRate(nint trainer)
    {
        double rate;
        Status.Check(NativeMethods.dn_trainer_learning_rate(trainer, &rate));
        return rate;
    }

    internal static double ClipThreshold(nint trainer)
    {
        double threshold;
        Status.Check(NativeMethods.dn_trainer_clip_threshold(trainer, &threshold));
        return threshold;
    }

    internal static bool SparseUpdates(nint trainer)
    {
        int on;
        Status.Check(NativeMethods.dn_trainer_sparse_updates(trainer, &on));
        return on != 0;
    }

    internal static long UpdatesCount(nint trainer)
    {
        long count;
        Status.Check(NativeMethods.dn_trainer_updates_count(trainer, &count));
        return count;
    }

    internal static long ClipsCount(nint trainer)
    {
        long count;
        Status.Check(NativeMethods.dn_trainer_clips_count(trainer, &count));
        return count;
    }
}
